import { appendFile, link, mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN, messages, which, Workplace } from '../fixtures/cli.ts';

const RESTIC = which('restic-0.18');

/** Verbs that look at what is stored, line by line against stock restic on the same repository. */
describe.skipIf(RESTIC === undefined)('What restic tells of a repository, Respaldo tells too:', () => {
  let place: Workplace;
  const restic = (...argv: string[]): Promise<string> => place.run(RESTIC ?? '', ...argv, '--no-cache');
  const ours = (...argv: string[]): Promise<string> => place.ok(...argv);
  const parsed = async (...argv: string[]): Promise<[unknown, unknown]> => {
    const [actual, expected] = [await ours(...argv, '--json'), await restic(...argv, '--json')];
    return [messages(actual), messages(expected)];
  };
  /** Standard output of both, without restic's remarks. */
  const told = async (...argv: string[]): Promise<[string, string]> => [await ours(...argv), await restic(...argv)];

  beforeAll(async () => {
    place = await Workplace.withRepository();
    await link(place.path('data/a.txt'), place.path('data/sub/hard'));
    await mkdir(place.path('data/gone'));
    await writeFile(place.path('data/gone/Ünï<&>.TXT'), 'gone');
    await writeFile(place.path('data/many'), Buffer.alloc(3_000_000, Math.random().toString()));
    await place.run(RESTIC ?? '', 'backup', '-q', 'data', '--tag', 'first');
    await rm(place.path('data/gone'), { recursive: true });
    await appendFile(place.path('data/a.txt'), 'more\n');
    await appendFile(place.path('data/many'), 'and more');
    await utimes(place.path('data/sub/b.bin'), 1e9, 1.7e9);
    await rm(place.path('data/link'));
    await mkdir(place.path('data/link'));
    await writeFile(place.path('data/link/a.txt'), 'new');
    await ours('backup', 'data', '--tag', 'second');
    await ours('backup', 'data/sub', '--tag', 'third');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  const ids = async (): Promise<[string, string, string]> => {
    const list = JSON.parse(await ours('snapshots', '--json')) as { id: string }[];
    return [list[0]?.id ?? '', list[1]?.id ?? '', list[2]?.id ?? ''];
  };

  /** A pack of data, wherever among indexes and packs it stands: their order is chance. */
  const dataPack = async (): Promise<string> => {
    for (const index of (await restic('list', 'index')).trim().split('\n')) {
      const { packs } = JSON.parse(await restic('cat', 'index', index)) as {
        packs: { id: string; blobs: { type: string }[] }[];
      };
      const found = packs.find(({ blobs }) => blobs[0]?.type === 'data');
      if (found !== undefined) return found.id;
    }
    throw new Error('no pack holds data');
  };

  it.each([
    [['*.txt']],
    [['sub']],
    [['-i', '*.txt', 'LINK']],
    [['/data/*/*']],
    [['/**/b.bin', 'a.txt']],
    [['nothing']],
    [['*', '--newest', '2024-01-01']],
    [['*', '--oldest', '2024-01-01 00:00', '--newest', '2100-01-01']],
    [['*.txt', '--snapshot', 'latest', '--tag', 'second']],
    [['*.txt', '--tag', 'first']],
    [['*.txt', '--reverse']],
  ])('find %j', async (argv) => {
    const [actual, expected] = await parsed('find', ...argv);
    expect(actual).toEqual(expected);
    const [lines, theirs] = await told('find', ...argv);
    expect(lines).toBe(theirs);
  });

  it('find blobs, trees and packs', async () => {
    const blobs = (await restic('list', 'blobs')).trim().split('\n');
    const idOf = (type: string): string => blobs.find((line) => line.startsWith(type))?.slice(5) ?? '';
    const pack = await dataPack();
    for (const argv of [
      ['--blob', idOf('data')],
      ['--blob', idOf('data').slice(0, 8)],
      ['--tree', idOf('tree')],
      ['--pack', pack],
      ['--pack', pack.slice(0, 8)],
      ['--blob', '12341234'],
      ['--blob', idOf('data'), '--show-pack-id'],
      ['--tree', idOf('tree'), '--show-pack-id'],
    ]) {
      if (!argv.includes('--show-pack-id')) {
        const [actual, expected] = await parsed('find', ...argv);
        expect(actual).toEqual(expected);
      }
      const [lines, theirs] = await told('find', ...argv);
      expect(lines).toBe(theirs);
    }
    expect((await place.respaldo('find', '--pack', '12341234')).code).toBe(1);
    expect((await place.respaldo('find', '--pack', 'no id')).code).toBe(2);
    expect((await place.respaldo('find', '--pack', '--tree', '12341234')).code).toBe(2);
    expect(await ids()).toHaveLength(3);
  });

  it('ls and snapshots, in another order and in groups', async () => {
    for (const argv of [
      ['ls', '--sort', 'size', 'latest', '--tag', 'second'],
      ['ls', '--sort', 'extension', '--reverse', 'latest', '--tag', 'first'],
      ['ls', '--sort', 'time', 'latest', '/data', '--tag', 'second'],
      ['snapshots', '--group-by', 'paths', '--latest', '1'],
    ]) {
      const [actual, expected] = await parsed(...argv);
      if (argv[0] === 'ls') expect(actual).toEqual(expected);
      // In which order groups come is chance in restic.
      else expect((actual as unknown[]).flat()).toEqual(expect.arrayContaining((expected as unknown[]).flat()));
    }
    expect(await ours('snapshots', '--group-by', 'tags')).toMatch(/^tags first:\n[^]*1 snapshot\n\ntags second:\n/);
  });

  it('diff', async () => {
    const [first, second, third] = await ids();
    for (const argv of [
      [first, second],
      [second, first],
      [first, first],
      [second, third],
      ['--metadata', first.slice(0, 8), second],
      [`${first}:/data/sub`, `${third}:/data/sub`],
      ['-q', first, second],
    ]) {
      const [actual, expected] = await parsed('diff', ...argv);
      expect(actual).toEqual(expected);
      const [lines, theirs] = await told('diff', ...argv);
      expect(lines).toBe(theirs);
    }
    const missing = await place.respaldo('diff', `${first}:/nowhere`, second);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('the snapshot has no /nowhere');
  });

  it.each(['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data'])('stats --mode %s', async (mode) => {
    const [first] = await ids();
    // All three: where the same content lies at other paths, blobs-per-file hangs on the order, which is chance in restic.
    const all = mode === 'blobs-per-file' ? ['--tag', 'first', '--tag', 'second'] : [];
    for (const argv of [all, [first], ['latest', '--tag', 'second'], ['--tag', 'nobody']]) {
      const [actual, expected] = await parsed('stats', '--mode', mode, ...argv);
      expect(actual).toEqual(expected);
      const [lines, theirs] = await told('stats', '--mode', mode, ...argv);
      expect(lines).toBe(theirs);
    }
  });

  it.each(['blobs', 'packs', 'index', 'snapshots', 'keys', 'locks'])('list %s', async (type) => {
    const sorted = (text: string): string[] => text.split('\n').sort();
    // restic's own lock is there while it lists; ours takes none.
    const [lines, theirs] = await told('list', type);
    expect(sorted(lines)).toEqual(sorted(theirs));
    expect(sorted(await ours('list', type, '--json'))).toEqual(sorted(lines));
  });

  it('cat', async () => {
    const [first, second] = await ids();
    const idOf = async (type: string): Promise<string> => (await restic('list', type)).trim().slice(-64);
    const [blob, pack] = [await idOf('blobs'), await idOf('packs')];
    for (const argv of [
      ['config'],
      ['config', '--json'],
      ['index', await idOf('index')],
      ['snapshot', first],
      ['snapshot', second.slice(0, 8)],
      ['key', await idOf('keys')],
      ['blob', blob],
      ['tree', first],
      ['tree', `${first}:/data/sub`],
    ]) {
      const [text, theirs] = await told('cat', ...argv);
      expect(text).toBe(theirs);
    }
    expect(await ours('cat', 'blob', blob.slice(0, 12))).toBe(await ours('cat', 'blob', blob));
    await place.run('sh', '-c', `exec "$0" "$@" > pack`, process.execPath, BIN, 'cat', 'pack', pack.slice(0, 12));
    expect((await place.run('sha256sum', 'pack')).slice(0, 64)).toBe(pack);
    for (const [argv, exit, message] of [
      [['index'], 2, 'cat index needs an id'],
      [['index', 'no'], 2, '"no" is no id'],
      [['blob', first], 1, `there is no blob ${first}`],
      [['lock', '1234'], 1, 'there is no lock 1234'],
      [['tree', `${first}:/data/many`], 1, '/data/many is a file in the snapshot'],
    ] as const) {
      const { code, stderr } = await place.respaldo('cat', ...argv);
      expect([argv, code]).toEqual([argv, exit]);
      expect(stderr).toContain(message);
    }
  });

  it('tag', async () => {
    const records = async (...options: string[]): Promise<unknown[]> => {
      const list = JSON.parse(await restic('snapshots', '--json', ...options)) as Record<string, unknown>[];
      // restic does not keep their order when it takes one away.
      const sorted = (tags: unknown): unknown => (tags as string[] | undefined)?.toSorted();
      return list.map(({ id: _, short_id: __, tags, ...record }) => ({ ...record, tags: sorted(tags) }));
    };
    const twin = ['--repo', place.path('twin')];
    await place.run('cp', '-a', place.path('repository'), place.path('twin'));
    for (const argv of [
      ['--add', 'x,y', '--remove', 'first', (await ids())[0]],
      ['--add', 'y'],
      ['--add', 'z', '--tag', 'x,y'],
      ['--remove', 'nothing'],
      ['--set', 'b,a', 'latest'],
    ]) {
      // Ids of a changed snapshot hang on its random encryption: those that are named have not been changed yet.
      const [mine, theirs] = [await ours('tag', ...argv, '--json'), await restic('tag', ...argv, '--json', ...twin)];
      const withoutNew = (text: string): unknown[] =>
        messages(text.replace(/^[^{].*$/gm, '')).map((one) => one.message_type === 'summary' && one);
      expect(withoutNew(mine)).toEqual(withoutNew(theirs));
      expect(await records()).toEqual(await records(...twin));
    }
    // restic 0.18 documents this and does not do it.
    await ours('tag', '--set', '', '--tag', 'second');
    expect(JSON.parse(await ours('snapshots', '--json', '--tag', 'second'))).toEqual([]);
    expect(await ours('check')).toContain('no damage');
    expect((await place.respaldo('tag')).code).toBe(2);
    expect((await place.respaldo('tag', '--set', 'a', '--add', 'b')).code).toBe(2);
  });
});
