/** What the options of `backup` mean is what restic says that they mean. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { messages, Workplace } from '../fixtures/cli.ts';
import { canMount } from '../fixtures/mount.ts';

let place: Workplace;
beforeAll(async () => {
  place = await Workplace.make();
  await place.makeRepository();
  const write = (name: string, content: string): void => {
    mkdirSync(place.path(name.slice(0, name.lastIndexOf('/'))), { recursive: true });
    writeFileSync(place.path(name), content);
  };
  for (const name of ['a.txt', 'B.TXT', 'sub/Ünïcode.Txt', 'sub/keep.md', 'sub/deep/note.txt', '.hidden', 'with space'])
    write(`data/${name}`, name);
  write('data/large', 'x'.repeat(2049));
  write('data/exact', 'x'.repeat(2048));
  symlinkSync('/nowhere/'.repeat(300), place.path('data/long link'));
  for (const folder of ['marked', 'tagged', 'wrongly', 'cache', 'both']) write(`data/${folder}/inside/file`, folder);
  write('data/marked/.nobackup', 'whatever');
  write('data/tagged/TAG', 'first line\nmore');
  write('data/wrongly/TAG', 'first');
  write('data/cache/CACHEDIR.TAG', 'Signature: 8a477f597d28d172789f06886806bc55 and more');
  write('data/both/.nobackup', '');
  write('data/both/TAG', 'first line');
});
afterAll(() => place[Symbol.asyncDispose]());

const RESTIC = 'restic-0.18';

/** Paths of the newest snapshot. */
async function listed(): Promise<string[]> {
  return (await place.run(RESTIC, 'ls', 'latest', '--no-cache'))
    .split('\n')
    .slice(1)
    .filter((line) => line !== '');
}

/** Saves by both programs; the last snapshot's paths by each. */
async function both(...argv: readonly string[]): Promise<{ ours: string[]; theirs: string[] }> {
  await place.ok('backup', ...argv);
  const ours = await listed();
  await place.run(RESTIC, 'backup', '--no-cache', ...argv);
  return { ours, theirs: await listed() };
}

describe('what is left out', () => {
  const cases = [
    ['--iexclude', '**/ÜNÏCODE*', '--exclude', '*.md'],
    ['--iexclude', '*.txt', '--iexclude', '!*/a.TXT'],
    ['--exclude-if-present', 'TAG:first line'],
    ['--exclude-if-present', 'TAG:', '--exclude-if-present', '.nobackup'],
    ['--exclude-caches'],
    ['--exclude-larger-than', '2k'],
  ];
  test.each(cases.map((options) => ({ options })))('by $options is what restic leaves out', async ({ options }) => {
    const { ours, theirs } = await both('data', ...options);
    expect(ours).toEqual(theirs);
    expect(ours.length).toBeGreaterThan(2);
  });

  test('by a file of patterns is what restic leaves out, in UTF-16 too', async () => {
    const text = '# not these\n  *.txt  \n$FOLDER/deep\n\n';
    writeFileSync(place.path('patterns'), text.replace('$FOLDER', place.path('data/sub')));
    writeFileSync(place.path('ipatterns'), Buffer.from('\ufeff*.MD\r\nWITH*\r\n', 'utf16le'));
    const { ours, theirs } = await both('data', '--exclude-file', 'patterns', '--iexclude-file', 'ipatterns');
    expect(ours).toEqual(theirs);
    expect(ours.some((path) => path.endsWith('keep.md'))).toBe(false);
  });

  test('has to be well formed', async () => {
    for (const argv of [
      ['--exclude', '[a'],
      ['--iexclude', 'a\\'],
      ['--exclude-larger-than', '2 MB'],
      ['--exclude-if-present', ':x'],
    ])
      expect(await place.respaldo('backup', 'data', ...argv), argv.join(' ')).toMatchObject({ code: 2 });
  });

  test.skipIf(!canMount())('with -x is what lies on other file systems, but for what is named', async () => {
    const script = `
      set -e
      cd ${place.folder}
      mkdir -p tree/mounted/named tree/other
      echo root > tree/file
      mount -t tmpfs tmpfs tree/mounted && mkdir -p tree/mounted/named/deep && echo 1 > tree/mounted/named/deep/x
      echo 2 > tree/mounted/left
      mount -t tmpfs tmpfs tree/other && echo 3 > tree/other/left
      for program in "$@"; do
        $program backup -q -x tree tree/mounted/named >&2
        restic-0.18 ls latest --no-cache | tail -n +2
        echo --
        cd tree && $program backup -q -x . >&2 && cd ..
        restic-0.18 ls latest --no-cache | tail -n +2
        echo ==
      done`;
    const respaldo = `${process.execPath} ${new URL('../../bin/respaldo.js', import.meta.url).pathname}`;
    const told = execFileSync('unshare', ['--mount', 'sh', '-c', script, 'sh', respaldo, `${RESTIC} --no-cache`], {
      env: place.env,
      encoding: 'utf8',
    });
    const [ours, theirs] = told.split('==\n');
    expect(ours).toBe(theirs);
    expect(ours).toContain('/tree/mounted/named/deep/x');
    expect(ours).not.toContain('left');
  });
});

describe('lists of what to back up', () => {
  test('of patterns are expanded as restic expands them', async () => {
    writeFileSync(
      place.path('list'),
      '# these\n  data/*.txt \ndata/s*/d??p\ndata/.h*\n\ndata/with space\ndata/[A-C]*\n',
    );
    const { ours, theirs } = await both('--files-from', 'list');
    expect(ours).toEqual(theirs);
    expect(ours).toContain('/data/sub/deep/note.txt');
  });

  test('with names as they are hold stars, spaces and bytes that are no text', async () => {
    const names = ['data/* [x', 'data/#no comment', ' data/ spaces ', 'data/bytes \xff\xfe', 'a:colon'];
    for (const name of names) {
      const path = Buffer.from(`${place.folder}/${name}`, 'latin1');
      mkdirSync(place.path(' data'), { recursive: true });
      writeFileSync(path, 'x');
    }
    writeFileSync(place.path('verbatim'), Buffer.from(`${names.join('\n')}\n`, 'latin1'));
    writeFileSync(place.path('raw'), Buffer.from(names.map((name) => `${name}\0`).join(''), 'latin1'));
    const verbatim = await both('--files-from-verbatim', 'verbatim');
    expect(verbatim.ours).toEqual(verbatim.theirs);
    const raw = await both('--files-from-raw', 'raw', 'data/a.txt');
    expect(raw.ours).toEqual(raw.theirs);
    expect(raw.ours).toContain('/a:colon');
    for (const name of names) rmSync(Buffer.from(`${place.folder}/${name}`, 'latin1'));
  });

  test('that are cut short, empty or missing are refused, and back nothing up', async () => {
    writeFileSync(place.path('short'), 'data/a.txt\0data/B.T');
    writeFileSync(place.path('hole'), 'data/a.txt\0\0');
    writeFileSync(place.path('nothing'), '');
    const before = await place.ok('snapshots', '--json');
    for (const [file, message] of [
      ['short', 'not ended by a zero byte'],
      ['hole', 'name 2 is empty'],
      ['nothing', 'name nothing'],
      ['absent', 'cannot read --files-from-raw'],
    ] as const) {
      const { code, stderr } = await place.respaldo('backup', '--files-from-raw', file);
      expect(stderr).toContain(message);
      expect(code).toBe(2);
    }
    expect(await place.ok('snapshots', '--json')).toBe(before);
  });

  test('with something that is missing make an incomplete snapshot', async () => {
    writeFileSync(place.path('partly'), 'data/a.txt\0data/gone\0');
    const { code, stderr } = await place.respaldo('backup', '--files-from-raw', 'partly');
    expect(code).toBe(3);
    expect(stderr).toContain('data/gone');
    expect(await listed()).toEqual(['/data', '/data/a.txt']);
  });
});

describe('a stream', () => {
  const through = (command: string): Promise<string> => place.run('sh', '-c', command);
  const respaldo = `${process.execPath} ${new URL('../../bin/respaldo.js', import.meta.url).pathname}`;

  test('of standard input becomes one file, cut as restic cuts it', async () => {
    const source = 'seq 1 3000000';
    await through(`${source} | ${respaldo} backup --stdin --stdin-filename ./db/../sql/all.sql`);
    expect(await listed()).toEqual(['/sql', '/sql/all.sql']);
    const told = messages(
      await through(`${source} | ${RESTIC} --no-cache backup --stdin --stdin-filename all.sql --json`),
    ).at(-1);
    expect(told).toMatchObject({ data_blobs: 0 });
    await through(`${source} > ${place.path('all')}`);
    await through(`${respaldo} backup --stdin --stdin-filename sql/all.sql < ${place.path('all')}`);
    await through(`${RESTIC} --no-cache dump latest /sql/all.sql | cmp - ${place.path('all')}`);
    rmSync(place.path('all'));
  });

  test('of a command is stored if it succeeds, and only then', async () => {
    const command = ['backup', '--stdin-from-command', '--stdin-filename', 'out', '--'];
    await place.ok(...command, 'sh', '-c', 'echo $RESPALDO_TEST_WORD; echo warning >&2');
    expect(await through(`${RESTIC} --no-cache dump latest /out`)).toBe('\n');
    const before = await place.ok('snapshots', '--json');
    for (const [script, message] of [
      ['seq 1 500000; exit 3', 'failed with exit code 3'],
      ['seq 1 500000; kill -9 $$', 'was killed by SIGKILL'],
      ['true', 'was empty'],
    ] as const) {
      const { code, stderr } = await place.respaldo(...command, 'sh', '-c', script);
      expect(stderr).toContain(message);
      expect(code).toBe(1);
    }
    expect(await place.respaldo(...command, 'no-such-program')).toMatchObject({ code: 1 });
    expect(await place.ok('snapshots', '--json')).toBe(before);
  });

  test('is nothing beside folders and lists', async () => {
    for (const argv of [
      ['--stdin', 'data'],
      ['--stdin', '--files-from', 'list'],
      ['--stdin-from-command'],
      ['--stdin', '--stdin-filename', '/'],
    ])
      expect(await place.respaldo('backup', ...argv), argv.join(' ')).toMatchObject({ code: 2 });
  });
});

describe('what is compared', () => {
  /** What the last message of `backup --json` counts. */
  async function counts(...argv: readonly string[]): Promise<unknown> {
    return messages(await place.ok('backup', '--json', ...argv)).at(-1);
  }

  test('may ignore inode and time of change, as with restic', async () => {
    mkdirSync(place.path('moved'));
    const file = place.path('moved/file');
    writeFileSync(file, 'content');
    utimesSync(file, 1e9, 1e9);
    await counts('moved');
    chmodSync(file, 0o600);
    expect(await counts('--ignore-ctime', '-n', 'moved')).toMatchObject({ files_unmodified: 1 });
    expect(await counts('-n', 'moved')).toMatchObject({ files_changed: 1 });
    // Another inode, the same size and time of modification.
    writeFileSync(`${file}.new`, 'CONTENT');
    utimesSync(`${file}.new`, 1e9, 1e9);
    renameSync(`${file}.new`, file);
    expect(await counts('--ignore-ctime', '-n', 'moved')).toMatchObject({ files_changed: 1 });
    expect(await counts('--ignore-inode', '-n', 'moved')).toMatchObject({ files_unmodified: 1 });
    const theirs = await place.run(RESTIC, '--no-cache', 'backup', '-n', '--json', '--ignore-inode', 'moved');
    expect(messages(theirs).at(-1)).toMatchObject({ files_unmodified: 1 });
  });

  test('is not stored again if nothing has changed and that is to be skipped', async () => {
    const options = ['--skip-if-unchanged', '--json', '--host', 'skipping', 'data/sub'];
    const first = await counts(...options);
    expect(first).toHaveProperty('snapshot_id');
    const second = await counts(...options);
    expect(second).not.toHaveProperty('snapshot_id');
    expect(second).not.toHaveProperty('dry_run');
    const theirs = messages(await place.run(RESTIC, '--no-cache', 'backup', ...options)).at(-1);
    expect(theirs).not.toHaveProperty('snapshot_id');
    writeFileSync(place.path('data/sub/keep.md'), 'changed');
    expect(await counts(...options)).toHaveProperty('snapshot_id');
  });

  test('is the last snapshot of what is grouped by, and none that is younger', async () => {
    const old = ['--host', 'one', '--time', '2020-01-01 00:00:00', 'data/sub'];
    const { snapshot_id: id } = (await counts(...old)) as { snapshot_id: string };
    const parentOf = async (...argv: readonly string[]): Promise<unknown> => {
      const { snapshot_id: saved } = (await counts(...argv)) as { snapshot_id: string };
      const record = JSON.parse(await place.ok('cat', 'snapshot', saved)) as { parent?: string };
      return record.parent;
    };
    const early = ['--time', '2020-01-02 00:00:00', 'data/sub'];
    expect(await parentOf('--host', 'two', ...early)).toBeUndefined();
    expect(await parentOf('--host', 'three', '--group-by', 'paths', '--time', '2020-01-01 12:00:00', 'data/sub')).toBe(
      id,
    );
    expect(await parentOf('--host', 'one', '--time', '2019-12-31 00:00:00', 'data/sub')).toBeUndefined();
    expect(await parentOf('--host', 'one', '--force', ...early)).toBeUndefined();
    expect(await parentOf('--host', 'four', '--parent', id.slice(0, 8), ...early)).toBe(id);
  });

  test('may store times of access', async () => {
    utimesSync(place.path('data/a.txt'), 1.2e9, 1.1e9);
    await place.ok('backup', '--with-atime', 'data/a.txt');
    const nodes = messages(await place.run(RESTIC, '--no-cache', 'ls', 'latest', '--json'));
    const atime = nodes.find(({ name }) => name === 'a.txt')?.atime as string;
    expect(Date.parse(atime)).toBe(1.2e12);
  });
});

test('each file and folder is told, in the words of restic', async () => {
  const about = (text: string): unknown[] =>
    messages(text)
      .filter(({ message_type, action }) => message_type === 'verbose_status' && action !== 'scan_finished')
      .map(({ action, item, data_size }) => ({ action, item, data_size }))
      .filter(({ item }) => !place.folder.startsWith(String(item).replace(/\/$/, '')))
      .toSorted((a, b) => (String(a.item) < String(b.item) ? -1 : 1));
  mkdirSync(place.path('told/sub'), { recursive: true });
  writeFileSync(place.path('told/sub/one'), 'told one');
  writeFileSync(place.path('told/two'), 'told two');
  const argv = ['backup', '--json', '-v', '-n', place.path('told')];
  expect(about(await place.ok(...argv))).toEqual(about(await place.run(RESTIC, '--no-cache', ...argv, '-v')));
  await place.ok('backup', place.path('told'));
  writeFileSync(place.path('told/two'), 'told again');
  const second = about(await place.ok(...argv));
  expect(second).toEqual(about(await place.run(RESTIC, '--no-cache', ...argv, '-v')));
  expect(second).toContainEqual({ action: 'modified', item: place.path('told/two'), data_size: 10 });
  expect(await place.ok('backup', '-vv', '--exclude', 'two', 'told')).toContain('excluded  ');
});
