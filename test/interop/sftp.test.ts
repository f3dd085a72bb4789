/** One repository behind a real SSH server, used by the whole program and by restic in turn. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Workplace } from '../fixtures/cli.ts';
import { RESTICS } from '../fixtures/restic.ts';
import { HAS_SSHD, Sshd } from '../fixtures/sshd.ts';

describe.skipIf(!HAS_SSHD)('a repository behind SFTP', () => {
  let server: Sshd;
  let place: Workplace;
  let remote: string;
  beforeAll(async () => {
    server = await Sshd.start();
    place = await Workplace.withRepository();
    remote = await mkdtemp(join(tmpdir(), 'respaldo-remote-'));
    place.env.RESPALDO_REPOSITORY = server.address(remote);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
    await rm(remote, { recursive: true });
  });

  const restic = (binary: string, ...argv: string[]) =>
    place.run(
      binary,
      ...['--no-cache', '--repo', `sftp:${server.user}@127.0.0.1:${remote}`],
      ...['--option', `sftp.command=${server.command()}`, ...argv],
    );

  it('is made, filled, checked and restored by Respaldo', async () => {
    await place.ok('init');
    await place.ok('backup', 'data');
    expect(await place.ok('snapshots')).toContain(place.path('data'));
    await place.ok('check', '--read-data');
    await place.ok('restore', 'latest', '--target', 'ours');
    await place.run('diff', '-r', 'data', 'ours/data');
  });

  it.each(RESTICS)('is sound to %s, which continues it, and we go on', async (binary) => {
    await restic(binary, 'check', '--read-data');
    await restic(binary, 'restore', 'latest', '--target', `by-${binary}`);
    await place.run('diff', '-r', 'data', `by-${binary}/data`);
    await writeFile(place.path('data/new'), binary);
    await restic(binary, 'backup', 'data');
    expect(await place.ok('ls', 'latest')).toContain('/data/new');
    await place.ok('forget', '--keep-last', '1', '--prune');
    await place.ok('check', '--read-data');
    expect(await place.ok('dump', 'latest', '/data/new')).toBe(binary);
    await restic(binary, 'check', '--read-data');
  });

  it('tells a stranger what to do, and exits', async () => {
    const { code, stderr } = await place.respaldo(
      ...['--repo', `sftp://${server.user}@127.0.0.1:${server.port}/${remote}`, 'snapshots'],
    );
    expect(code).toBe(1);
    expect(stderr).toContain(`ssh-keyscan -p ${server.port} 127.0.0.1 >> ~/.ssh/known_hosts`);
  });
});
