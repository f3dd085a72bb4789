/** One cache for both programs: the layout is restic's, and either verifies what it reads. */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { which, Workplace } from '../fixtures/cli.ts';
import { HAS_SSHD, Sshd } from '../fixtures/sshd.ts';

const RESTIC = which('restic-0.18');

describe.skipIf(RESTIC === undefined || !HAS_SSHD)('A cache that restic uses, too', () => {
  let place: Workplace;
  let server: Sshd;
  let remote: string;
  let caches: string;
  beforeAll(async () => {
    place = await Workplace.withRepository();
    server = await Sshd.start();
    remote = server.address(place.path('repository'));
    caches = place.path('cache');
    await ours('backup', 'data');
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  // The workplace's RESTIC_CACHE_DIR names the folder, for both.
  const ours = (...argv: string[]): Promise<string> => place.ok('--repo', remote, ...argv);
  const restic = (...argv: string[]): Promise<string> =>
    place.run(
      RESTIC ?? '',
      ...['--repo', `sftp:${server.user}@127.0.0.1:${place.path('repository')}`],
      ...['--option', `sftp.command=${server.command()}`, ...argv],
    );
  const cached = async (): Promise<string[]> => {
    const entries = await readdir(caches, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile() && entry.name.length === 64).map(({ name }) => name);
  };
  const stored = async (): Promise<string[]> => {
    const entries = await readdir(place.path('repository'), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  };

  it('is filled by a backup with index, snapshot and trees, not with data', async () => {
    expect(await cached()).toHaveLength(3);
    expect((await stored()).filter((name) => name.length === 64)).toHaveLength(5);
    expect((await stat(caches)).mode & 0o777).toBe(0o700);
    const listed = JSON.parse(await ours('cache', '--json')) as { id: string; size: number }[];
    expect(listed).toHaveLength(1);
    expect(await place.ok('cache', '--cache-dir', caches)).toMatch(/^Repository +Last used +Size\n-+\n[0-9a-f]{10} /);
  });

  it('gives restic what ours has written, and ours what restic has', async () => {
    expect(await restic('ls', 'latest')).toContain('/data/sub/b.bin');
    await writeFile(place.path('data/new'), 'new\n');
    await restic('backup', 'data');
    const before = new Set(await cached());
    expect(before.size).toBe(6);
    expect(await ours('ls', 'latest')).toContain('/data/new');
    expect(new Set(await cached())).toEqual(before);
    await restic('check');
    expect(await ours('check')).toContain('no damage was found');
  });

  it('is left alone where none is wanted, and named by our own variable first', async () => {
    const elsewhere = place.path('elsewhere');
    const run = (argv: string[], env: NodeJS.ProcessEnv) => place.start(['--repo', remote, ...argv], env).ended;
    expect(await run(['snapshots', '--no-cache'], { RESPALDO_CACHE_DIR: elsewhere })).toMatchObject({ code: 0 });
    await expect(stat(elsewhere)).rejects.toThrow('ENOENT');
    expect(await run(['snapshots'], { RESPALDO_CACHE_DIR: elsewhere })).toMatchObject({ code: 0, stderr: '' });
    expect(await readdir(elsewhere)).toHaveLength(2);
    const clean = await run(['cache', '--cleanup', '--max-age', '1'], { RESPALDO_CACHE_DIR: elsewhere });
    expect(clean.stdout).toBe('no cache is that old\n');
  });

  it('that is damaged or cannot be made spoils nothing', async () => {
    for (const entry of await readdir(caches, { recursive: true, withFileTypes: true }))
      if (entry.isFile() && entry.name.length === 64) await writeFile(join(entry.parentPath, entry.name), 'damage');
    expect(await ours('ls', 'latest')).toContain('/data/new');
    const blocked = place.path('blocked');
    await mkdir(blocked);
    await writeFile(join(blocked, 'file'), '');
    const { code, stdout, stderr } = await place.start([
      '--repo',
      remote,
      '--cache-dir',
      'blocked/file',
      'ls',
      'latest',
    ]).ended;
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('/data/new') as string });
    expect(stderr.match(/the cache in /g)).toHaveLength(1);
  });

  it('needs no folder of a repository on this machine', async () => {
    const caches = place.path('unused');
    await place.ok('snapshots', '--cache-dir', caches);
    await expect(stat(caches)).rejects.toThrow('ENOENT');
  });
});
