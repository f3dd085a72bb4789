/** A bucket of a real Ceph gateway: the contract of every store, and what S3 promises beyond it. */
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import dns from 'node:dns';
import { setImmediate as immediately } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { freePort } from '../../examples/tienda/free-port.ts';
import { throwIfAborted, type RespaldoError } from '../../src/errors.ts';
import { RetryingStore } from '../../src/stores/retrying.ts';
import { parseS3Address } from '../../src/stores/s3/address.ts';
import { S3Store } from '../../src/stores/s3/s3.ts';
import type { Store } from '../../src/stores/store.ts';
import { HAS_CEPH, type S3Server } from '../fixtures/ceph.ts';
import { FaultyStore, taking } from '../fixtures/faulty-store.ts';
import { administer, clientOf, newBucket, newPlace, openAt, s3Server, storeAt } from '../fixtures/s3.ts';
import { SummingGateway } from '../fixtures/summing-gateway.ts';
import { TcpProxy } from '../fixtures/tcp-proxy.ts';
import { bytes, describeStore, inPieces, listed, ours, stream, type StoreFixture } from './store.ts';

const signal = new AbortController().signal;

describe.skipIf(!HAS_CEPH)('on S3', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await s3Server();
  }, 180_000);

  const fixture = (store: Store): StoreFixture => ({ store, [Symbol.asyncDispose]: () => Promise.resolve() });
  describeStore('Ceph', async () => fixture(storeAt(server, newPlace())));
  describeStore('Ceph, broken and retrying', async () => {
    const faulty = new FaultyStore(
      storeAt(server, newPlace()),
      taking('before', undefined, 'after', undefined, 'midway', undefined),
    );
    const patience = { attempts: 100, firstDelay: 1, longestDelay: 1 };
    return fixture(new RetryingStore(faulty, patience, { pause: async (_, until) => throwIfAborted(until) }));
  });

  describe('S3Store', () => {
    let place: string;
    let store: S3Store;
    beforeEach(async () => {
      place = newPlace();
      store = storeAt(server, place);
      await store.create(signal);
    });
    afterEach(async () => {
      await store.close();
    });
    const uploads = async () => {
      const [Bucket, Prefix] = place.split('/');
      return (await clientOf(server).send(new ListMultipartUploadsCommand({ Bucket, Prefix }))).Uploads ?? [];
    };

    it('sends what is large in parts, and leaves none behind', async () => {
      const content = bytes(80_000_000);
      await store.write('data/ab/large', content, signal);
      expect(Buffer.compare(await store.read('data/ab/large', undefined, signal), content)).toBe(0);
      expect(await uploads()).toEqual([]);
    });

    it('takes the parts back where a write is given up', async () => {
      const giveUp = new AbortController();
      const write = store.write('data/ab/large', bytes(80_000_000), giveUp.signal);
      while ((await uploads()).length === 0) await immediately();
      giveUp.abort();
      await expect(write).rejects.toThrow(ours('cancelled'));
      expect(await uploads()).toEqual([]);
      expect(await listed(store)).toEqual([]);
    });

    it('takes back the parts of a stream that breaks off', async () => {
      const failure = new Error('the dump broke off');
      await expect(stream(store, 'a', inPieces(bytes(50_000_000), failure))).rejects.toBe(failure);
      expect(await uploads()).toEqual([]);
      expect(await listed(store)).toEqual([]);
    });

    it('goes on with a stream where a line broke in the middle of it', async () => {
      const [, port = ''] = server.host.split(':');
      const front = await freePort();
      let proxy = await TcpProxy.start(Number(port), undefined, front);
      const patience = { attempts: 20, firstDelay: 50, longestDelay: 1000 };
      const far = storeAt({ ...server, host: `127.0.0.1:${front}` }, place, { patience });
      const content = bytes(60_000_000);
      const write = stream(far, 'a', inPieces(content));
      await proxy.sent(20_000_000);
      await proxy.close();
      proxy = await TcpProxy.start(Number(port), undefined, front);
      expect(await write).toBe(content.length);
      expect(Buffer.compare(await store.read('a', undefined, signal), content)).toBe(0);
      expect(await uploads()).toEqual([]);
      await far.close();
      await proxy.close();
    });

    it('shows nothing of a stream where the server is gone for good, which a sweep removes', async () => {
      const proxy = await TcpProxy.start(Number(server.host.split(':')[1]));
      const patience = { attempts: 2, firstDelay: 1, longestDelay: 1 };
      const far = storeAt({ ...server, host: `127.0.0.1:${proxy.port}` }, place, { patience });
      const write = failure(stream(far, 'archive/a', inPieces(bytes(60_000_000))));
      await proxy.sent(20_000_000);
      await proxy.close();
      expect(await write).toMatchObject({ code: 'store-broken', retry: true });
      expect(await listed(store)).toEqual([]);
      await far.close();
    });

    it('compares what was sent with the sums that the server keeps, in one request or in parts', async () => {
      const [Bucket = '', folder = ''] = place.split('/');
      expect(await store.compareSums('never-sent', signal)).toBeUndefined();
      for (const [key, size] of [
        ['empty', 0],
        ['short', 1000],
        ['long', 40_000_000],
      ] as const) {
        await stream(store, key, inPieces(bytes(size)));
        expect([key, await store.compareSums(key, signal)]).toEqual([key, { by: 'MD5', isSame: true }]);
        const Body = bytes(size).fill(1, 0, 1);
        await clientOf(server).send(new PutObjectCommand({ Bucket, Key: `${folder}/${key}`, Body }));
        expect([key, (await store.compareSums(key, signal))?.isSame]).toEqual([key, size === 0]);
      }
      await clientOf(server).send(new DeleteObjectCommand({ Bucket, Key: `${folder}/long` }));
      await expect(store.compareSums('long', signal)).rejects.toThrow(ours('store-missing'));
    });

    it('compares by the checksum that was asked for, where the server keeps it', async () => {
      await using gateway = await SummingGateway.start(server.host);
      for (const [option, by] of [
        ['sha256', 'SHA256'],
        ['crc32c', 'MD5'],
      ]) {
        const asked = parseS3Address(`http://${gateway.host}/${place}?checksum=${option}`);
        const summing = new S3Store(asked, '/', { credentials: server });
        for (const [key, size] of [
          ['short', 1000],
          ['long', 40_000_000],
        ] as const) {
          await stream(summing, key, inPieces(bytes(size)));
          expect([key, await summing.compareSums(key, signal)]).toEqual([key, { by, isSame: true }]);
        }
        await summing.close();
      }
    });

    describe('is asked by its address', () => {
      const at = async (bucket: string, options: string) => {
        const asked = parseS3Address(`http://${server.host}/${bucket}?${options}`);
        const opened = new S3Store(asked, '/', { credentials: server });
        await opened.create(signal);
        return opened;
      };
      const head = (Bucket: string, Key: string) => clientOf(server).send(new HeadObjectCommand({ Bucket, Key }));
      const writeAll = async (to: S3Store) => {
        await to.write('small', bytes(1000), signal);
        await stream(to, 'short', inPieces(bytes(1000)));
        await stream(to, 'long', inPieces(bytes(20_000_000)));
        await to.write('large', bytes(70_000_000), signal);
        return ['small', 'short', 'long', 'large'];
      };

      const twoWays = (to: S3Store) => [
        () => to.write('a', bytes(1), signal),
        () => stream(to, 'b', inPieces(bytes(20_000_000))),
      ];

      it('to encrypt what it is given, by a key of its key service', async () => {
        const bucket = newBucket();
        const keeping = await at(bucket, 'encryption=aws:kms&kms-key=tests&checksum=sha256');
        for (const key of await writeAll(keeping)) {
          expect(await keeping.compareSums(key, signal)).toBeUndefined();
          const found = await head(bucket, key);
          expect([found.ServerSideEncryption, found.SSEKMSKeyId]).toEqual(['aws:kms', 'tests']);
        }
        expect(await keeping.read('small', { offset: 10, length: 5 }, signal)).toEqual(bytes(15).slice(10));
        expect((await keeping.read('long', undefined, signal)).length).toBe(20_000_000);
        await keeping.close();
      });

      it('to encrypt by a key that is not there, and refuses', async () => {
        const keeping = await at(newBucket(), 'encryption=aws:kms&kms-key=nobody');
        for (const write of twoWays(keeping)) expect(await failure(write())).toMatchObject({ code: 'store-refused' });
        expect(await listed(keeping)).toEqual([]);
        await keeping.close();
      });

      it('to encrypt, and is not believed where it does not say that it did', async () => {
        const Bucket = newBucket();
        const keeping = await at(Bucket, 'encryption=AES256');
        for (const write of twoWays(keeping)) {
          const error = await failure(write());
          expect(error).toMatchObject({ code: 'store-refused' });
          expect(error.message).toContain('asked to encrypt by AES256');
        }
        // Nor is it left there as it came.
        expect(await listed(keeping)).toEqual([]);
        const { Uploads = [] } = await clientOf(server).send(new ListMultipartUploadsCommand({ Bucket }));
        expect(Uploads).toEqual([]);
        await keeping.close();
      });

      it('to lock what it is given, which nobody can remove before its time then', async () => {
        const bucket = newBucket();
        const locking = await at(bucket, 'object-lock=governance&lock-days=3');
        const client = clientOf(server);
        for (const Key of await writeAll(locking)) {
          const { ObjectLockMode, ObjectLockRetainUntilDate: until, VersionId } = await head(bucket, Key);
          expect([Key, ObjectLockMode]).toEqual([Key, 'GOVERNANCE']);
          expect(((until?.getTime() ?? 0) - Date.now()) / 86_400_000).toBeCloseTo(3, 1);
          await locking.remove(Key, signal);
          const removal = client.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
          await expect(removal).rejects.toMatchObject({ name: 'AccessDenied' });
        }
        await locking.close();
      });

      it('to lock in a bucket that cannot, and says so', async () => {
        const bucket = newBucket();
        await (await at(bucket, '')).close();
        const locking = await at(bucket, 'object-lock=compliance&lock-days=3');
        expect(await failure(locking.write('a', bytes(1), signal))).toMatchObject({
          code: 'store-refused',
          hint: expect.stringContaining('object-lock') as string,
        });
        expect(await listed(locking)).toEqual([]);
        await locking.close();
      });
    });

    it('sweeps out, after a day, the parts that killed writers have left', async () => {
      const [Bucket = '', folder = ''] = place.split('/');
      const client = clientOf(server);
      const begin = (name: string) =>
        client.send(new CreateMultipartUploadCommand({ Bucket, Key: `${folder}/${name}` }));
      await begin('data/ab/left');
      const other = await begin('of-somebody-else');
      await store.sweep(signal);
      expect(await uploads()).toHaveLength(2);
      const now = Date.now();
      const tomorrow = { now: () => new Date(now + 25 * 60 * 60 * 1000), monotonic: () => 0 };
      // Only the store's own idea of the time: the server would not answer a machine that is a day ahead.
      const later = storeAt(server, place, { clock: { ...tomorrow, now: laterOnSecondAsking(tomorrow.now) } });
      await later.sweep(signal);
      await later.close();
      expect((await uploads()).map(({ Key }) => Key)).toEqual([`${folder}/of-somebody-else`]);
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key: other.Key, UploadId: other.UploadId }));
    });

    it('lists more than a page, each object once', async () => {
      const keys = Array.from({ length: 1100 }, (_, i) => `index/${String(i).padStart(4, '0')}`);
      await Promise.all(keys.map((key) => store.write(key, bytes(1), signal)));
      expect((await listed(store, 'index/')).map(({ key }) => key)).toEqual(keys);
    });

    it('passes over what makes no object: markers of folders, unfinished copies', async () => {
      const [Bucket = '', folder = ''] = place.split('/');
      for (const name of ['', 'data/', 'data//x', 'data/ab/abcd-restic-temp-0a1b'])
        await clientOf(server).send(
          new PutObjectCommand({ Bucket, Key: `${folder}/${name}`, Body: new Uint8Array(1) }),
        );
      await store.write('config', bytes(1), signal);
      expect(await listed(store)).toEqual([{ key: 'config', size: 1 }]);
    });

    it('tells apart an object and a bucket that are not there', async () => {
      await expect(store.stat('config', signal)).rejects.toThrow(/^there is no config in s3:/);
      const nowhere = storeAt(server, `${newBucket()}/x`);
      for (const attempt of [
        () => nowhere.stat('config', signal),
        () => nowhere.read('config', undefined, signal),
        () => nowhere.write('config', bytes(1), signal),
      ]) {
        const error = await failure(attempt());
        expect(error).toMatchObject({ code: 'store-missing', hint: expect.stringContaining('init') as string });
        expect(error.message).toMatch(/^there is no bucket own-/);
      }
      expect(await listed(nowhere)).toEqual([]);
      await nowhere.close();
    });

    it.each([
      ['InvalidAccessKeyId', { accessKeyId: 'NOBODY', secretAccessKey: 's3cr3t' }, 'does not know this access key'],
      ['SignatureDoesNotMatch', { secretAccessKey: 's3cr3t' }, 'does not belong to the access key'],
    ])('says that the keys are wrong: %s', async (word, wrong, hint) => {
      const stranger = storeAt(server, place, { credentials: { ...server, ...wrong } });
      for (const attempt of [
        () => stranger.stat('config', signal),
        () => stranger.read('config', undefined, signal),
        () => stranger.write('config', bytes(100), signal),
        () => listed(stranger),
      ]) {
        const error = await failure(attempt());
        expect(error).toMatchObject({ code: 'store-refused', hint: expect.stringContaining(hint) as string });
        expect(error.message).toContain(word);
        expect(error.message).not.toContain('s3cr3t');
      }
      await stranger.close();
    });

    it('says that the clocks are apart', async () => {
      const wrong = Date.now() + 3_600_000;
      const late = storeAt(server, place, { clock: { now: () => new Date(wrong), monotonic: () => 0 } });
      const error = await failure(late.read('config', undefined, signal));
      expect(error).toMatchObject({ code: 'store-refused', hint: expect.stringContaining('clock') as string });
      await late.close();
    });

    it("says that the bucket belongs to somebody else, and that one's own is full", async () => {
      const [theirs, full] = [newBucket(), newBucket()];
      const other = { accessKeyId: `K${theirs}`, secretAccessKey: 'of-the-other' };
      await administer(
        server,
        ...['user', 'create', '--uid', theirs, '--display-name', 'other'],
        ...['--access-key', other.accessKeyId, '--secret-key', other.secretAccessKey],
      );
      const owner = storeAt(server, theirs, { credentials: other });
      await owner.create(signal);
      await owner.write('config', bytes(1), signal);
      const guest = storeAt(server, theirs);
      for (const attempt of [
        () => guest.stat('config', signal),
        () => guest.write('config', bytes(1), signal),
        () => listed(guest),
      ])
        expect(await failure(attempt())).toMatchObject({ code: 'store-refused' });

      const small = storeAt(server, full, { credentials: other });
      await small.create(signal);
      await administer(
        server,
        'quota',
        'set',
        '--quota-scope=bucket',
        `--uid=${theirs}`,
        `--bucket=${full}`,
        '--max-size=100K',
      );
      await administer(server, 'quota', 'enable', '--quota-scope=bucket', `--uid=${theirs}`, `--bucket=${full}`);
      const error = await failure(small.write('data/ab/abcd', bytes(1_000_000), signal));
      expect(error).toMatchObject({ code: 'store-full', hint: expect.stringContaining('prune') as string });
      const streaming = await failure(stream(small, 'large', inPieces(bytes(30_000_000))));
      expect(streaming).toMatchObject({ code: 'store-full' });
      expect(await listed(small)).toEqual([]);
      for (const one of [owner, guest, small]) await one.close();
    });

    it('says that nobody answers, or that it is no S3 server, and that trying again may help', async () => {
      const gone = storeAt({ ...server, host: '127.0.0.1:1' }, place);
      expect(await failure(gone.stat('config', signal))).toMatchObject({ code: 'store-broken', retry: true });
      await gone.close();
    });

    it('says that a line broke in the middle of an object', async () => {
      await store.write('data/ab/abcd', bytes(20_000_000), signal);
      const proxy = await TcpProxy.start(Number(server.host.split(':')[1]), 5_000_000);
      const far = storeAt({ ...server, host: `127.0.0.1:${proxy.port}` }, place);
      const error = await failure(far.read('data/ab/abcd', undefined, signal));
      expect(error).toMatchObject({ code: 'store-broken', retry: true });
      expect(error.message).toContain('cannot read data/ab/abcd in s3:http://127.0.0.1');
      await far.close();
      await proxy.close();
    });

    it('asks over TLS with an authority of its own, and refuses a server that nobody vouched for', async () => {
      const trusting = await openAt(server, `s3:https://${server.secureHost}/${place}?ca-file=${server.authority}`);
      await trusting.write('config', bytes(10), signal);
      expect(await store.stat('config', signal)).toEqual({ key: 'config', size: 10 });
      await trusting.close();
      const wary = await openAt(server, `s3:${server.secureHost}/${place}`);
      const error = await failure(wary.stat('config', signal));
      expect(error).toMatchObject({ code: 'store-refused', hint: expect.stringContaining('ca-file') as string });
      await wary.close();
    });

    it('says that a server without TLS was asked with it', async () => {
      const error = await failure((await openAt(server, `s3:${server.host}/${place}`)).stat('config', signal));
      expect(error).toMatchObject({ code: 'store-refused', hint: expect.stringContaining('s3:http://') as string });
    });

    it('uses a bucket whole, where the address names no folder', async () => {
      const whole = storeAt(server, newBucket());
      await whole.create(signal);
      await whole.create(signal);
      for (const key of ['config', 'data/ab/abcd']) await whole.write(key, bytes(1), signal);
      expect((await listed(whole)).map(({ key }) => key)).toEqual(['config', 'data/ab/abcd']);
      expect(await listed(whole, 'data/')).toEqual([{ key: 'data/ab/abcd', size: 1 }]);
      await whole.close();
    });

    it('names the bucket before the host, where it is told to', async () => {
      const [, port = ''] = server.host.split(':');
      // The server calls itself localhost; that names below it are this machine too, not every resolver knows.
      const { lookup } = dns;
      const resolver = vi
        .spyOn(dns, 'lookup')
        .mockImplementation(((name: string, ...rest: [never, never]) =>
          lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest)) as typeof lookup);
      const named = await openAt(server, `s3:http://localhost:${port}/${place}?bucket-lookup=dns`);
      await named.write('config', bytes(11), signal);
      expect(await store.stat('config', signal)).toEqual({ key: 'config', size: 11 });
      expect(resolver.mock.calls[0]?.[0]).toBe('tests.localhost');
      resolver.mockRestore();
      await named.close();
    });
  });
});

/** What a store is made with is the time; what it asks for afterwards is later. */
function laterOnSecondAsking(later: () => Date): () => Date {
  let asked = 0;
  return () => (asked++ === 0 ? new Date() : later());
}

async function failure(promise: Promise<unknown>): Promise<RespaldoError> {
  return promise.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error as RespaldoError,
  );
}
