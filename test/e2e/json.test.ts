import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messages, which, Workplace } from '../fixtures/cli.ts';

type Message = Record<string, unknown>;

/** Fields that differ from run to run. */
const FLEETING = ['backup_start', 'backup_end', 'total_duration', 'seconds_elapsed', 'snapshot_id'];
/** Blobs of trees hold times, and the two may differ in how well they compress. */
const SIZES = ['data_added', 'data_added_packed'];

/** The newer restic: the shapes are its. */
const RESTIC = which('restic-0.18');

/**
 * Whatever parses restic's JSON parses ours: stock restic and Respaldo work on the same repository, or on the same
 * data, and every field of their messages is compared.
 */
describe.skipIf(RESTIC === undefined)("restic's JSON messages", () => {
  let place: Workplace;
  const restic = (...argv: string[]): Promise<string> => place.run(RESTIC ?? '', ...argv, '--json', '--no-cache');
  const ours = (...argv: string[]): Promise<string> => place.ok(...argv, '--json');

  beforeAll(async () => {
    place = await Workplace.withRepository();
    await ours('backup', 'data', '--tag', 'a,b');
    await appendFile(place.path('data/a.txt'), 'more\n');
    await place.run(RESTIC ?? '', 'backup', 'data');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it.each([[[]], [['--tag', 'a']], [['--latest', '1']], [['--host', 'nobody']], [['latest']]])(
    'of snapshots %j are the same',
    async (argv) => {
      const [expected, actual] = [await restic('snapshots', ...argv), await ours('snapshots', ...argv)];
      expect(JSON.parse(actual)).toEqual(JSON.parse(expected));
    },
  );

  it.each([[[]], [['/data/sub']], [['/data/sub', '--recursive']], [['/data/a.txt']], [['/data/sub', '/data/link']]])(
    'of ls latest %j are the same',
    async (argv) => {
      const [expected, actual] = [await restic('ls', 'latest', ...argv), await ours('ls', 'latest', ...argv)];
      expect(messages(actual)).toEqual(messages(expected));
    },
  );

  it.each([
    [['--keep-last', '1']],
    [['--keep-last', '1', '--group-by', '']],
    [['--keep-daily', '2', '--keep-tag', 'a,b', '--group-by', 'host,tags']],
    [['--keep-within', '1d']],
  ])('of forget %j are the same', async (argv) => {
    const [expected, actual] = [
      JSON.parse(await restic('forget', '--dry-run', ...argv)) as Message[],
      JSON.parse(await ours('forget', '--dry-run', ...argv)) as Message[],
    ];
    const byContent = (a: Message, b: Message): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
    expect(withoutCounters(actual).sort(byContent)).toEqual(expected.sort(byContent));
  });

  it('of key list are the same', async () => {
    expect(JSON.parse(await ours('key', 'list'))).toEqual(JSON.parse(await restic('key', 'list')));
  });

  it('of check are the same', async () => {
    expect(messages(await ours('check'))).toEqual(messages(await restic('check')));
  });

  it('of init are the same but for the id', async () => {
    const anywhere = (text: string): string => text.replace(/[0-9a-f]{64}/, 'ID');
    const ourNew = await ours('init', '--repo', place.path('new'));
    const theirNew = await place.run(RESTIC ?? '', 'init', '--json', '--repo', place.path('new2'));
    expect(anywhere(ourNew)).toBe(anywhere(theirNew).replace('new2', 'new'));
  });

  it('of a restore end with the same numbers', async () => {
    const expected = messages(await restic('restore', 'latest', '--target', 'theirs')).at(-1);
    const actual = messages(await ours('restore', 'latest', '--target', 'ours')).at(-1);
    expect(comparable(actual)).toEqual(comparable(expected));
  });

  it('of backups have the same fields, and the same numbers for the same data', async () => {
    for (const repository of ['one', 'two']) await place.ok('init', '--repo', place.path(repository));
    const into = (repository: string): string[] => ['backup', 'data', '--repo', place.path(repository)];
    const compare = async (...argv: string[]): Promise<void> => {
      const expected = messages(await restic(...into('one'), ...argv)).at(-1);
      const actual = messages(await ours(...into('two'), ...argv)).at(-1);
      expect(Object.keys(actual ?? {}).sort()).toEqual(
        Object.keys(expected ?? {})
          .filter((key) => !(argv.includes('--dry-run') && key === 'snapshot_id'))
          .sort(),
      );
      expect(comparable(actual)).toEqual(comparable(expected));
    };
    await compare();
    await appendFile(place.path('data/a.txt'), 'again\n');
    await mkdir(place.path('data/newer'));
    await writeFile(place.path('data/newer/file'), 'x');
    await compare('--dry-run');
    await compare();
    await compare();
  });

  it('tell progress as restic does', async () => {
    await writeFile(place.path('data/large'), Buffer.alloc(200_000_000, 'large'));
    const status = (text: string): Message | undefined =>
      messages(text).findLast((message) => message.message_type === 'status' && 'total_bytes' in message);
    const expected = status(await restic('backup', 'data/large', '--force'));
    const actual = status(await ours('backup', 'data/large', '--force'));
    const optional = ['seconds_elapsed', 'seconds_remaining', 'files_done', 'current_files', 'bytes_done'];
    const fields = (message: Message | undefined): string[] =>
      Object.keys(message ?? {})
        .filter((key) => !optional.includes(key))
        .sort();
    expect(fields(actual)).toEqual(fields(expected));
    expect(actual).toMatchObject({ total_files: 1, total_bytes: 200_000_000 });
  });

  it('tell an error as the last line of standard error', async () => {
    const cases = [
      { argv: ['snapshots'], env: { RESPALDO_PASSWORD: 'wrong', RESTIC_PASSWORD: 'wrong' } },
      { argv: ['snapshots', '--repo', '/nowhere/at/all'], env: {} },
    ];
    for (const { argv, env } of cases) {
      const theirs = await place.startProgram([RESTIC ?? '', ...argv, '--json'], env).ended;
      const mine = await place.start([...argv, '--json'], env).ended;
      const expected = messages(theirs.stderr).at(-1);
      expect(mine.code).toBe(theirs.code);
      expect(mine.stdout).toBe('');
      expect(messages(mine.stderr)).toEqual([{ ...expected, message: expect.any(String) as string }]);
    }
  });
});

/** restic 0.14 told counters with the reasons; newer ones do not. */
function withoutCounters(groups: readonly Message[]): Message[] {
  return groups.map((group) => ({
    ...group,
    reasons: (group.reasons as Message[] | null)?.map(({ counters: _, ...reason }) => reason) ?? null,
  }));
}

/** Without fields that cannot be compared. */
function comparable(message: Message | undefined): Message {
  return Object.fromEntries(Object.entries(message ?? {}).filter(([key]) => ![...FLEETING, ...SIZES].includes(key)));
}
