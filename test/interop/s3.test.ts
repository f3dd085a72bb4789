/** One repository in a bucket of a real S3 server, used by the whole program and by restic in turn. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HAS_CEPH, type S3Server } from '../fixtures/ceph.ts';
import { Workplace } from '../fixtures/cli.ts';
import { RESTICS } from '../fixtures/restic.ts';
import { keysOf, listingOf, newBucket, s3Server } from '../fixtures/s3.ts';

/** Older ones write the same; they are tried behind SFTP. */
const NEWEST = RESTICS.slice(-1);

describe.skipIf(!HAS_CEPH)('a repository on S3', () => {
  let server: S3Server;
  let place: Workplace;
  beforeAll(async () => {
    server = await s3Server();
    place = await Workplace.withRepository();
    // The same words in both programs' variables: what one makes of an address, the other must too.
    use(`s3:http://${server.host}/${newBucket()}/some//where/`);
    Object.assign(place.env, keysOf(server));
  });
  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  });
  const use = (url: string) => {
    Object.assign(place.env, { RESPALDO_REPOSITORY: url, RESTIC_REPOSITORY: url });
  };
  const restic = (binary: string, ...argv: string[]) => place.run(binary, '--no-cache', ...argv);

  it('is made, filled, checked and restored by Respaldo, in a bucket that it makes', async () => {
    await place.ok('init');
    await place.ok('backup', 'data');
    expect(await place.ok('snapshots')).toContain(place.path('data'));
    await place.ok('check', '--read-data');
    await place.ok('restore', 'latest', '--target', 'ours');
    await place.run('diff', '-r', 'data', 'ours/data');
  });

  it.each(NEWEST)('is sound to %s, which continues it, and we go on', async (binary) => {
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

  it.each(NEWEST)('that %s has made lies where we look for it, whatever its address looks like', async (binary) => {
    const bucket = newBucket();
    for (const [folder, keys] of [
      ['', 'config'],
      ['/my%20backups/100%25', 'my backups/100%/config'],
      ['//a/../b', '/b/config'],
    ]) {
      use(`s3:http://${server.host}/${bucket}${folder ?? ''}`);
      await restic(binary, 'init');
      expect(await listingOf(server, bucket)).toContain(keys);
      await place.ok('backup', 'data');
      await restic(binary, 'check');
    }
  });
});
