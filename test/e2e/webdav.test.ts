/** What a person meets at the command line with a repository on a WebDAV server. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Workplace } from '../fixtures/cli.ts';
import { HAS_APACHE, WebDav } from '../fixtures/webdav.ts';

describe.skipIf(!HAS_APACHE)('respaldo over WebDAV', () => {
  let server: WebDav;
  let place: Workplace;
  beforeAll(async () => {
    server = await WebDav.start();
    place = await Workplace.make();
    await mkdir(place.path('data'));
    await writeFile(place.path('data/a'), 'hello\n');
  });
  afterAll(async () => {
    await place[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('makes, fills, checks and empties a repository, whose address and password respaldo.yaml tells', async () => {
    await writeFile(place.path('secret'), `${server.password}\n`, { mode: 0o600 });
    await writeFile(
      place.path('respaldo.yaml'),
      `repositories:
        offsite:
          url: ${server.address('srv/repository', { secure: true })}
          credentials: { password: { file: secret } }\n`,
    );
    const repo = ['--repo', 'offsite'];
    await place.ok(...repo, 'init');
    await place.ok(...repo, 'backup', 'data');
    expect(await place.ok(...repo, 'dump', 'latest', '/data/a')).toBe('hello\n');
    await writeFile(place.path('data/b'), Buffer.alloc(3_000_000, 7));
    await place.ok(...repo, 'backup', 'data');
    await place.ok(...repo, 'check', '--read-data');
    await place.ok(...repo, 'forget', '--keep-last', '1', '--prune');
    expect(await place.ok(...repo, 'snapshots')).toContain('1 snapshot');
    await place.ok(...repo, 'check', '--read-data');
  });

  it('keeps archives, which are read back from there', async () => {
    await writeFile(place.path('secret'), `${server.password}\n`, { mode: 0o600 });
    await writeFile(
      place.path('archives.yaml'),
      `archives:
  box: { url: '${server.address('box/archives')}', credentials: { password: { file: secret } } }
plans:
  data: { source: ./data, archives: box }\n`,
    );
    const config = ['--config', 'archives.yaml'];
    await place.ok(...config, 'backup', 'data');
    await place.ok(...config, 'archive', 'verify');
    await place.ok(...config, 'archive', 'restore', 'latest', '--target', 'restored');
    await place.run('diff', '-r', 'data', 'restored/data');
    const there = await readdir(server.files, { recursive: true });
    expect(there.filter((path) => /-tmp-/.test(path))).toEqual([]);
    expect(there.filter((path) => path.endsWith('.tar.gz'))).toHaveLength(1);
  });

  it('tries such a place', async () => {
    const url = server.address('srv');
    const env = { RESPALDO_WEBDAV_PASSWORD: server.password };
    const before = await readdir(server.files, { recursive: true });
    const { code, stdout, stderr } = await place.start(['doctor', 'store', url], env).ended;
    expect(code, stdout + stderr).toBe(0);
    for (const trait of ['locks', 'rivals', 'address', 'parts', 'durability', 'clock']) expect(stdout).toContain(trait);
    expect((await readdir(server.files, { recursive: true })).filter((path) => path.includes('doctor'))).toEqual([]);
    expect(before.filter((path) => path.includes('doctor'))).toEqual([]);
  });

  it('says what to do about a wrong password, at once', async () => {
    const env = { RESPALDO_WEBDAV_PASSWORD: 'wr0ng' };
    const { code, stderr } = await place.start(['--repo', server.address('srv/repository'), 'snapshots'], env).ended;
    expect(code, stderr).toBe(1);
    expect(stderr).toContain('RESPALDO_WEBDAV_PASSWORD');
    expect(stderr).not.toMatch(/wr0ng|trying again|at .*\.js/);
  });
});
