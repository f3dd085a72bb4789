/** `respaldo doctor store` at every kind of store, as a person would run it. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { beforeAll, afterAll, describe, expect, it } from 'vitest';

import { HAS_CEPH, type S3Server } from '../fixtures/ceph.ts';
import { Workplace } from '../fixtures/cli.ts';
import { keysOf, listingOf, newBucket, s3Server, storeAt } from '../fixtures/s3.ts';
import { HAS_SSHD, Sshd } from '../fixtures/sshd.ts';

interface Diagnosis {
  readonly fit: boolean;
  readonly observations: readonly { readonly trait: string; readonly verdict: string }[];
}

describe('respaldo doctor store', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await Workplace.withRepository();
  });
  afterAll(() => place[Symbol.asyncDispose]());

  /** What it finds at a place that is as it should be. */
  const soundTraits = async (location: string) => {
    const { fit, observations } = JSON.parse(await place.ok('doctor', 'store', location, '--json')) as Diagnosis;
    expect(observations.filter(({ verdict }) => verdict === 'bad')).toEqual([]);
    expect(fit).toBe(true);
    return observations.map(({ trait }) => trait);
  };

  it('tries a folder, and the place of the repository that is meant, without a password', async () => {
    const before = await readdir(place.path('repository'));
    const { RESPALDO_PASSWORD: _, ...env } = place.env;
    const { code, stdout } = await place.start(['doctor', 'store'], { ...env, RESPALDO_PASSWORD: '' }).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^locks {15}good {2}two who lock at once see each other$/m);
    expect(stdout).toContain('a repository can be kept there');
    expect(await readdir(place.path('repository'))).toEqual(before);
    await mkdir(place.path('empty'));
    expect(await soundTraits('empty')).toEqual(expect.arrayContaining(['locks', 'speed', 'file system', 'clock']));
    expect(await readdir(place.path('empty'))).toEqual([]);
  });

  it('says why there is nothing to try', async () => {
    const { code, stderr } = await place.respaldo('doctor', 'store', 'nowhere');
    expect(code).toBe(1);
    expect(stderr).toContain(`there is no folder ${place.path('nowhere')}`);
    await writeFile(place.path('file'), '');
    expect((await place.respaldo('doctor', 'store', 'file')).code).toBe(1);
  });

  it.skipIf(!HAS_SSHD)('tries a folder of a server', async () => {
    await using server = await Sshd.start();
    await mkdir(place.path('remote'));
    const traits = await soundTraits(server.address(place.path('remote')));
    expect(traits).toEqual(expect.arrayContaining(['locks', 'speed', 'durability', 'replacing', 'space', 'clock']));
    expect(await readdir(place.path('remote'))).toEqual([]);
  });

  describe.skipIf(!HAS_CEPH)('on S3', () => {
    let server: S3Server;
    beforeAll(async () => {
      server = await s3Server();
      Object.assign(place.env, keysOf(server));
    });

    it('tries a bucket, and leaves nothing in it', async () => {
      const bucket = newBucket();
      const url = `s3:http://${server.host}/${bucket}/folder`;
      const missing = await place.respaldo('doctor', 'store', url);
      expect(missing.code).toBe(1);
      expect(missing.stderr).toContain(`there is no bucket ${bucket}`);
      await storeAt(server, bucket).create(new AbortController().signal);
      expect(await soundTraits(url)).toEqual(
        expect.arrayContaining([
          'locks',
          'speed',
          'address',
          'large objects',
          'conditional writes',
          'versions',
          'clock',
        ]),
      );
      expect(await listingOf(server, bucket)).toEqual([]);
    });
  });
});
