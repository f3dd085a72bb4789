/** What a person meets at the command line with a repository on S3, when all is well and when it is not. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { freePort } from '../../examples/tienda/free-port.ts';
import { HAS_CEPH, type S3Server } from '../fixtures/ceph.ts';
import { BIN, Workplace } from '../fixtures/cli.ts';
import { keysOf, newBucket, newPlace, s3Server } from '../fixtures/s3.ts';
import { TcpProxy } from '../fixtures/tcp-proxy.ts';

const run = promisify(execFile);

describe.skipIf(!HAS_CEPH)('respaldo on S3', () => {
  let server: S3Server;
  let place: Workplace;
  let url: string;
  beforeAll(async () => {
    server = await s3Server();
  });
  beforeEach(async () => {
    place = await Workplace.make();
    await mkdir(place.path('data'));
    await writeFile(place.path('data/a'), 'hello\n');
    url = `s3:http://${server.host}/${newPlace()}`;
    Object.assign(place.env, keysOf(server), { RESPALDO_REPOSITORY: url });
  });
  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  });

  it('takes address, keys and authority out of respaldo.yaml', async () => {
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, RESPALDO_REPOSITORY: _, ...env } = place.env;
    await writeFile(place.path('secret'), `${secret ?? ''}\n`, { mode: 0o600 });
    await writeFile(
      place.path('respaldo.yaml'),
      `repositories:
        offsite:
          url: s3:https://${server.secureHost}/${newPlace()}?ca-file=${server.authority}&region=us-east-1
          credentials: { access-key-id: { env: OFFSITE_KEY }, secret-access-key: { file: secret } }\n`,
    );
    const respaldo = async (...argv: string[]) => {
      const options = { cwd: place.folder, env: { ...env, OFFSITE_KEY: id } };
      return (await run(process.execPath, [BIN, ...argv], options)).stdout;
    };
    await respaldo('init');
    await respaldo('backup', 'data');
    expect(await respaldo('dump', 'latest', '/data/a')).toBe('hello\n');
  });

  it('locks archives where it is asked to, and never a repository', async () => {
    const address = `s3:http://${server.host}/${newBucket()}/x?object-lock=governance&lock-days=1`;
    await writeFile(
      place.path('respaldo.yaml'),
      `archives: { locked: { url: '${address}' } }\nplans: { data: { source: ./data, archives: locked } }\n`,
    );
    await place.ok('backup', 'data');
    await place.ok('archive', 'verify');
    await place.ok('archive', 'restore', 'latest', '--target', 'restored');
    await place.run('diff', '-r', 'data', 'restored/data');
    const refused = await place.respaldo('--repo', address, 'init');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('for archives alone')]);
  });

  it.each([
    ['an unknown key', { AWS_ACCESS_KEY_ID: 'NOBODY' }, 'The server does not know this access key'],
    ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'wr0ng' }, 'The secret key does not belong to the access key'],
    ['no keys', { AWS_ACCESS_KEY_ID: '', AWS_EC2_METADATA_DISABLED: 'true' }, 'Set AWS_ACCESS_KEY_ID'],
  ])('says what to do about %s, at once', async (_what, env, message) => {
    for (const verb of ['snapshots', 'init']) {
      const { code, stderr } = await place.start([verb], env).ended;
      expect(code, stderr).toBe(1);
      expect(stderr).toContain(message);
      expect(stderr).not.toMatch(/wr0ng|trying again|at .*\.js/);
    }
  });

  it('says that there is no bucket, or no repository in it', async () => {
    const bucket = newBucket();
    const gone = await place.respaldo('--repo', `s3:http://${server.host}/${bucket}/x`, 'snapshots');
    expect(gone.code).toBe(10);
    expect(gone.stderr).toContain(`there is no bucket ${bucket}`);
    const empty = await place.respaldo('snapshots');
    expect(empty.code).toBe(10);
    expect(empty.stderr).toContain(`there is no repository at ${url}`);
  });

  it('outlives a server that goes away in the middle of a backup, and finishes when it is back', async () => {
    await place.ok('init');
    await writeFile(place.path('data/large'), randomBytes(30_000_000));
    const [, realPort] = server.host.split(':');
    const port = await freePort();
    let proxy = await TcpProxy.start(Number(realPort), undefined, port);
    const far = url.replace(server.host, `127.0.0.1:${port}`);
    const { child, ended } = place.start(['--repo', far, 'backup', 'data']);
    const failed = new Promise<void>((resolve) => {
      child.stderr?.on('data', (text: string) => {
        if (text.includes('trying again')) resolve();
      });
    });
    await Promise.race([proxy.sent(5_000_000), ended]);
    await proxy.close();
    await Promise.race([failed, ended]);
    proxy = await TcpProxy.start(Number(realPort), undefined, port);
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(0);
    await proxy.close();
    await place.ok('check', '--read-data');
    expect(await place.ok('snapshots')).toContain('1 snapshot');
  });

  it('gives up where the server stays away, and leaves the repository as it was', async () => {
    await place.ok('init');
    const proxy = await TcpProxy.start(Number(server.host.split(':')[1]), 3000);
    const far = url.replace(server.host, `127.0.0.1:${proxy.port}`);
    const { child, ended } = place.start(['--repo', far, 'backup', 'data']);
    child.stderr?.once('data', () => child.kill('SIGINT'));
    const { code, stderr } = await ended;
    expect(stderr).toContain('trying again');
    expect(code).toBe(130);
    await proxy.close();
    await place.ok('unlock');
    await place.ok('check');
  });
});
