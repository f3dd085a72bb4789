import { readFileSync } from 'node:fs';
import { appendFile, chmod, mkdir, readlink, stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN, withoutPrivileges, Workplace } from '../fixtures/cli.ts';

describe('The verbs on a folder', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await Workplace.withRepository();
    await place.ok('backup', 'data', '--tag', 'first,daily');
    await appendFile(place.path('data/a.txt'), 'more\n');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('back up only what changed, and say what they did', async () => {
    const told = await place.ok('backup', 'data', '--tag', 'second', '--host', 'web1');
    expect(told).toMatch(/^backing up \S+\/data: full/);
    const again = await place.ok('backup', 'data', '--host', 'web1', '--tag', 'third');
    expect(again).toMatch(/incremental, compared with [0-9a-f]{8}: the last snapshot\n/);
    expect(again).toContain('files    0 new, 0 changed, 3 unmodified');
    expect(again).toMatch(/snapshot [0-9a-f]{8} saved\n$/);
  });

  it('store nothing in a dry run', async () => {
    const before = await place.ok('snapshots', '--json');
    const told = await place.ok('backup', 'data', '--dry-run', '--force');
    expect(told).toContain('would add');
    expect(told).toContain('a dry run: nothing was stored');
    expect(await place.ok('snapshots', '--json')).toBe(before);
  });

  it('record the time that is given', async () => {
    await place.ok('backup', 'data', '--time', '2001-02-03 04:05:06', '--tag', 'old');
    expect(await place.ok('snapshots', '--tag', 'old')).toContain('2001-02-03 04:05:06');
  });

  it('leave out what patterns, options and files of patterns name', async () => {
    await writeFile(place.path('patterns'), '# comment\n*.bin\n');
    await mkdir(place.path('data/cache'), { recursive: true });
    const tag = 'Signature: 8a477f597d28d172789f06886806bc55\n';
    await writeFile(place.path('data/cache/CACHEDIR.TAG'), tag);
    await writeFile(place.path('data/cache/x'), 'x');
    const options = ['--exclude', 'a.*', '--exclude-file', 'patterns', '--exclude-caches'];
    await place.ok('backup', 'data', '--host', 'small', ...options);
    const listed = (await place.ok('ls', 'latest', '--host', 'small', '--quiet')).split('\n');
    expect(listed.map((path) => path.replace(/^\/data\/?/, ''))).toEqual(
      expect.arrayContaining(['cache', 'cache/CACHEDIR.TAG', 'link', 'sub', 'sub/deep', 'sub/deep/empty']),
    );
    expect(listed.join('\n')).not.toMatch(/a\.txt|b\.bin|cache\/x/);
  });

  it('list snapshots by host, tag, path, id and number', async () => {
    const ids = async (...argv: string[]): Promise<string[]> => {
      const listed = JSON.parse(await place.ok('snapshots', '--json', ...argv)) as { id: string; tags?: string[] }[];
      return listed.map(({ id }) => id);
    };
    const [first = ''] = await ids('--tag', 'first,daily');
    expect(await ids('--tag', 'first,second')).toEqual([]);
    expect(await ids('--tag', 'first', '--tag', 'second')).toHaveLength(2);
    expect(await ids('--host', 'web1')).toHaveLength(2);
    expect(await ids('--host', 'web1', '--latest', '1')).toHaveLength(1);
    expect(await ids('--path', place.path('data'), '--tag', 'first')).toEqual([first]);
    expect(await ids(first.slice(0, 8))).toEqual([first]);
    expect(await ids('--path', '/nowhere')).toEqual([]);
    const table = await place.ok('snapshots', first.slice(0, 6));
    expect(table).toMatch(/^ID +Time +Host +Tags +Paths +Size\n/);
    expect(table).toContain('first,daily');
    expect(await place.ok('snapshots', '--compact', first)).not.toContain(place.folder);
  });

  it('list a folder, one level or all of it, and long', async () => {
    const below = async (...argv: string[]): Promise<string[]> =>
      (await place.ok('ls', '-q', 'latest', '--host', 'web1', ...argv)).trimEnd().split('\n');
    expect(await below('/data/sub')).toEqual(['/data/sub', '/data/sub/b.bin', '/data/sub/deep']);
    expect(await below('/data/sub', '--recursive')).toContain('/data/sub/deep/empty');
    const [long] = await below('-l', '/data/a.txt');
    expect(long).toMatch(/^urwxr-x--x +\d+ +\d+ +11 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+\/a\.txt$/);
    const [link] = await below('-l', '/data/link');
    expect(link).toMatch(/^Lrwxrwxrwx .* -> a\.txt$/);
  });

  it('dump a file byte for byte', async () => {
    await writeFile(place.path('data/big'), Buffer.alloc(9_000_000, 'binary\u0000\u00ff'));
    await place.ok('backup', 'data', '--host', 'dump');
    const argv = [process.execPath, BIN, 'dump', 'latest', '/data/big', '--host', 'dump'];
    await place.run('sh', '-c', 'exec "$0" "$@" > dumped', ...argv);
    expect(readFileSync(place.path('dumped')).equals(readFileSync(place.path('data/big')))).toBe(true);
  });

  it.each([
    ['a link', 'link', /is a symbolic link to a\.txt/, 2],
    ['nothing', 'missing', /has no \/data\/missing/, 1],
  ])('say why %s cannot be dumped', async (_, name, message, exit) => {
    const { code, stdout, stderr } = await place.respaldo('dump', 'latest', `/data/${name}`, '--host', 'web1');
    expect([code, stdout]).toEqual([exit, '']);
    expect(stderr).toMatch(message);
  });

  it('restore everything, and a part of it', async () => {
    const told = await place.ok('restore', 'latest', '--host', 'web1', '--target', 'back');
    expect(told).toMatch(/^restoring snapshot [0-9a-f]{8} of /);
    expect(told).toMatch(/restored and verified \d+ entries \(292\.\d\d\d KiB\) in /);
    const restored = place.path('back/data');
    expect(readFileSync(`${restored}/a.txt`, 'utf8')).toBe('hello\nmore\n');
    expect((await stat(`${restored}/a.txt`)).mode & 0o7777).toBe(0o4751);
    expect(await readlink(`${restored}/link`)).toBe('a.txt');

    await place.ok('restore', 'latest:/data/sub', '--host', 'web1', '--target', 'part');
    expect(readFileSync(place.path('part/b.bin'))).toEqual(readFileSync(place.path('data/sub/b.bin')));
  });

  it('refuse a target that holds something, and obey --overwrite', async () => {
    await mkdir(place.path('full'));
    await writeFile(place.path('full/b.bin'), 'mine');
    const part = ['latest:/data/sub', '--host', 'web1', '--target', 'full'];
    const refused = await place.respaldo('restore', ...part);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('not empty');
    expect(readFileSync(place.path('full/b.bin'), 'utf8')).toBe('mine');
    await place.ok('restore', ...part, '--overwrite', 'never');
    expect(readFileSync(place.path('full/b.bin'), 'utf8')).toBe('mine');
    await place.ok('restore', ...part, '--overwrite', 'always', '--dry-run');
    expect(readFileSync(place.path('full/b.bin'), 'utf8')).toBe('mine');
    await place.ok('restore', ...part, '--overwrite', 'always');
    expect(readFileSync(place.path('full/b.bin'))).toEqual(readFileSync(place.path('data/sub/b.bin')));
  });

  it('tell apart keys and change the password', async () => {
    await writeFile(place.path('second'), 'the second password\n');
    await place.ok('key', 'add', '--new-password-file', 'second', '--user', 'ana');
    const listed = JSON.parse(await place.ok('key', 'list', '--json')) as { id: string; userName: string }[];
    const second = listed.find(({ userName }) => userName === 'ana');
    expect(listed).toHaveLength(2);
    await place.ok('snapshots', '--password-file', 'second');
    await place.ok('key', 'remove', second?.id.slice(0, 8) ?? '');
    expect((await place.respaldo('snapshots', '--password-file', 'second')).code).toBe(12);
    await writeFile(place.path('third'), 'the third password\n');
    await place.ok('key', 'passwd', '--new-password-file', 'third');
    expect((await place.respaldo('snapshots')).code).toBe(12);
    await writeFile(place.path('first'), place.env.RESPALDO_PASSWORD ?? '');
    await place.ok('key', 'passwd', '--password-file', 'third', '--new-password-file', 'first');
    await place.ok('snapshots');
    expect((await place.respaldo('key', 'add')).stderr).toContain('there is no new password');
  });

  it('drop snapshots, free their space, and leave a repository that is whole', async () => {
    await writeFile(place.path('data/sub/huge'), Buffer.alloc(3_000_000, Math.random().toString()));
    await place.ok('backup', 'data', '--host', 'gone');
    const [{ id } = { id: '' }] = JSON.parse(await place.ok('snapshots', '--json', '--host', 'gone')) as {
      id: string;
    }[];
    await place.ok('forget', id);
    const plan = await place.ok('prune', '--dry-run', '--max-unused', '0');
    expect(plan).toMatch(/to free +\d/);
    expect(await place.ok('prune', '--max-unused', '0')).toMatch(/freed \d/);
    expect(await place.ok('check', '--read-data')).toContain('no damage was found');
  });

  it('remember what was run', async () => {
    const table = await place.ok('runs');
    expect(table).toMatch(/backup +succeeded +\S+ .*\/data$/m);
    expect(table).toMatch(/restore +succeeded/);
    expect(table).toMatch(/check +succeeded/);
    expect(table).toMatch(/prune +succeeded/);
    const [run] = JSON.parse(await place.ok('runs', '--json', '--limit', '1')) as { operation: string }[];
    expect(run).toMatchObject({ operation: 'check', outcome: { state: 'succeeded' } });
  });

  it('store what can be read of a folder, and exit 3 for the rest', async () => {
    await mkdir(place.path('partly'));
    await writeFile(place.path('partly/open'), 'open');
    await writeFile(place.path('partly/shut'), 'shut');
    await chmod(place.path('partly/shut'), 0);
    const { code, stdout, stderr } = await place.start(['backup', 'partly'], {}, withoutPrivileges()).ended;
    expect(code).toBe(3);
    expect(stdout).toMatch(/snapshot [0-9a-f]{8} saved, but it is incomplete\n$/);
    expect(stderr).toMatch(/^warning: .*partly\/shut/);
    expect(await place.ok('snapshots', '--path', place.path('partly'))).toContain('incomplete');
    const json = await place.start(['backup', 'partly', '--json'], {}, withoutPrivileges()).ended;
    expect(json.code).toBe(3);
    expect(
      json.stderr
        .split('\n')
        .slice(0, 2)
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { message_type: 'error', during: 'archival', item: expect.stringMatching(/partly\/shut$/) as string },
      { message_type: 'exit_error', code: 3 },
    ]);
  });
});
