import { appendFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messages, which, Workplace } from '../fixtures/cli.ts';
import { compareTrees } from '../fixtures/tree.ts';

const RESTIC = which('restic-0.18');
const SOURCE = 'the words of the source';

/** The source is stock restic's; the copies are read by both programs. */
describe.skipIf(RESTIC === undefined)('Copying between repositories', () => {
  let place: Workplace;
  const from = (): string[] => ['--from-repo', place.path('source'), '--from-password-file', place.path('password')];
  const atSource = (): string[] => ['--repo', place.path('source'), '--password-file', place.path('password')];
  const restic = (...argv: string[]): Promise<string> => place.run(RESTIC ?? '', ...argv, '--no-cache');
  const snapshots = async (...argv: string[]): Promise<Record<string, unknown>[]> =>
    JSON.parse(await restic('snapshots', '--json', ...argv)) as Record<string, unknown>[];

  beforeAll(async () => {
    place = await Workplace.withRepository();
    await writeFile(place.path('password'), SOURCE);
    await restic('init', '-q', ...atSource());
    await writeFile(place.path('data/large'), Buffer.alloc(9_000_000, Math.random().toString()));
    await restic('backup', '-q', 'data', '--tag', 'a', ...atSource());
    await appendFile(place.path('data/large'), 'more');
    await restic('backup', '-q', 'data', '--tag', 'b', ...atSource());
    await restic('backup', '-q', 'data/sub', '--host', 'other', ...atSource());
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('brings what was asked for, and later the rest, each once', async () => {
    const one = messages(await place.ok('copy', ...from(), '--tag', 'a', '--json')).at(-1);
    expect(one).toMatchObject({ message_type: 'summary', copied: 1, skipped: 0 });
    const [first, second, third] = await snapshots(...atSource());
    expect(await snapshots()).toMatchObject([{ tree: first?.tree, tags: ['a'], original: first?.id }]);

    expect(messages(await place.ok('copy', ...from(), '--json')).at(-1)).toMatchObject({ copied: 2, skipped: 1 });
    const copies = await snapshots();
    expect(copies.map(({ original, tree, parent }) => ({ original, tree, parent }))).toEqual(
      [first, second, third].map((snapshot) => ({ original: snapshot?.id, tree: snapshot?.tree })),
    );
    const again = messages(await place.ok('copy', ...from(), '--json')).at(-1);
    expect(again).toEqual({ message_type: 'summary', copied: 0, skipped: 3, blobs: 0, bytes: 0 });
  });

  it('leaves a repository that both programs find whole, and that restores equal', async () => {
    await restic('check', '--read-data');
    expect(await place.ok('check', '--read-data')).toContain('no damage');
    await place.ok('restore', 'latest:/data', '--tag', 'b', '--target', 'restored');
    expect(compareTrees(place.path('data'), place.path('restored'))).toEqual([]);
    expect(await place.ok('list', 'locks')).toBe('');
    expect(await place.ok('list', 'locks', ...atSource())).toBe('');
  });

  it('is understood by restic, which copies nothing twice either, in both directions', async () => {
    const theirs = ['--from-repo', place.path('source'), '--from-password-file', place.path('password')];
    await restic('copy', '-q', ...theirs);
    expect(await snapshots()).toHaveLength(3);
    const back = ['copy', '--from-repo', place.path('repository'), '--from-password-file', place.path('mine')];
    await writeFile(place.path('mine'), place.env.RESPALDO_PASSWORD ?? '');
    expect(await place.ok(...back, ...atSource())).toContain('copied 0 snapshots');
    expect(await snapshots(...atSource())).toHaveLength(3);
  });

  it('stores nothing twice where files are cut alike', async () => {
    const twin = ['--repo', place.path('twin')];
    await place.ok('init', ...twin, ...from(), '--copy-chunker-params');
    const polynomial = async (...argv: string[]): Promise<unknown> =>
      (JSON.parse(await restic('cat', 'config', ...argv)) as Record<string, unknown>).chunker_polynomial;
    expect(await polynomial(...twin)).toBe(await polynomial(...atSource()));
    await place.ok('copy', ...twin, ...from());
    const saved = messages(await place.ok('backup', 'data', ...twin, '--force', '--json')).at(-1);
    expect(saved).toMatchObject({ message_type: 'summary', data_blobs: 0 });
  });

  it('copies into version 1, which knows no compression', async () => {
    const old = ['--repo', place.path('old')];
    await place.ok('init', '--repository-version', '1', ...old);
    await place.ok('copy', ...old, ...from());
    await restic('check', '--read-data', ...old);
  });

  it.each([
    [['copy'], 2, 'no repository to read from is named'],
    [['copy', '--from-repo', 'nowhere', '--from-password-file', 'password'], 10, 'there is no repository at'],
    [['copy', '--from-repo', 'source'], 2, 'Of the repository to read from: give --from-password-file'],
    [['copy', '--from-repo', 'source', '--from-password-file', 'data/a.txt'], 12, 'opens no key'],
    [['init', '--repo', 'new', '--from-repo', 'source'], 2, 'of no use without --copy-chunker-params'],
  ])('says what is wrong with %j', async (argv, exit, message) => {
    const { code, stderr } = await place.respaldo(...argv);
    expect(stderr).toContain(message);
    expect(code).toBe(exit);
  });
});
