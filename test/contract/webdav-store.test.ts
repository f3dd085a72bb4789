/** A folder behind a real Apache, and one behind nginx: the contract of every store, and what WebDAV promises beyond it. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as immediately } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { throwIfAborted, type RespaldoError } from '../../src/errors.ts';
import { openStore } from '../../src/stores/index.ts';
import { RetryingStore } from '../../src/stores/retrying.ts';
import { parseWebDavAddress } from '../../src/stores/webdav/address.ts';
import { WebDavStore } from '../../src/stores/webdav/webdav.ts';
import { FaultyStore, taking } from '../fixtures/faulty-store.ts';
import { canMount } from '../fixtures/mount.ts';
import { HAS_NGINX, Nginx } from '../fixtures/nginx.ts';
import { TcpProxy } from '../fixtures/tcp-proxy.ts';
import { HAS_APACHE, WebDav } from '../fixtures/webdav.ts';
import { bytes, describeStore, expectSwept, inPieces, listed, ours, stream, type StoreFixture } from './store.ts';

const signal = new AbortController().signal;

describe.skipIf(!HAS_NGINX)('over WebDAV of another server', () => {
  let server: Nginx;
  beforeAll(async () => {
    server = await Nginx.start();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  describeStore('nginx', async () => {
    const address = `http://127.0.0.1:${server.port}/${randomBytes(6).toString('hex')}`;
    const store = new WebDavStore(parseWebDavAddress(address), '/');
    return { store, [Symbol.asyncDispose]: () => Promise.resolve() };
  });
});

describe.skipIf(!HAS_APACHE)('over WebDAV', () => {
  let server: WebDav;
  beforeAll(async () => {
    server = await WebDav.start();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  const open = (url: string, password = server.password) =>
    new WebDavStore(parseWebDavAddress(url.slice('webdav:'.length)), '/', { password });
  const newFolder = () => randomBytes(6).toString('hex');
  const fixture = async (): Promise<StoreFixture> => ({
    store: open(server.address(`${newFolder()}/a store, 100 %`.replace('%', '%25'))),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });

  describeStore('Apache', fixture);
  describeStore('Apache, broken and retrying', async () => {
    const inner = await fixture();
    const faulty = new FaultyStore(inner.store, taking('before', 'after', 'midway', undefined));
    const patience = { attempts: 100, firstDelay: 1, longestDelay: 1 };
    const store = new RetryingStore(faulty, patience, { pause: async (_, until) => throwIfAborted(until) });
    return { store, [Symbol.asyncDispose]: () => Promise.resolve() };
  });

  describe('WebDavStore', () => {
    let place: string;
    let folder: string;
    let store: WebDavStore;
    beforeEach(async () => {
      place = newFolder();
      folder = join(server.files, place);
      store = open(server.address(place));
      await store.makePlace(signal);
    });
    afterEach(async () => {
      await store.close();
    });

    it('lays objects out as a folder of this machine has them, and makes no more than it is asked for', async () => {
      expect(await readdir(folder)).toEqual([]);
      await store.write('shop/2026/a.sql.gz', bytes(3), signal);
      expect(await readdir(folder, { recursive: true })).toEqual(['shop', 'shop/2026', 'shop/2026/a.sql.gz']);
    });

    it('passes over what is being written, and sweeps it out after a day', async () => {
      await expectSwept(store, folder);
    });

    it('leaves nothing behind where a write is given up', async () => {
      await store.write('data/ab/old', bytes(1), signal);
      const giveUp = new AbortController();
      const write = store.write('data/ab/a', bytes(40_000_000), giveUp.signal);
      while ((await readdir(join(folder, 'data/ab'))).length === 1) await immediately();
      giveUp.abort();
      await expect(write).rejects.toThrow(ours('cancelled'));
      expect(await listed(store)).toEqual([{ key: 'data/ab/old', size: 1 }]);
    });

    it('never removes a folder with something in it', async () => {
      await store.write('data/ab/abcd', bytes(1), signal);
      await store.remove('data', signal);
      await store.removeFolder('data/ab', signal);
      await store.removeFolder('data', signal);
      expect(await listed(store)).toEqual([{ key: 'data/ab/abcd', size: 1 }]);
      await mkdir(join(folder, 'data/cd'));
      await server.own(join(folder, 'data/cd'));
      await store.removeFolder('data/cd', signal);
      expect(await readdir(join(folder, 'data'))).toEqual(['ab']);
    });

    it('does not write into a place that is gone', async () => {
      const gone = open(server.address(`${place}/disk`));
      await expect(gone.write('data/ab/b', bytes(1), signal)).rejects.toThrow(ours('store-missing'));
      await expect(stream(gone, 'data/ab/b', inPieces(bytes(1)))).rejects.toThrow(/^there is no folder webdav:/);
      expect(await readdir(folder)).toEqual([]);
      await gone.close();
    });

    it('shows nothing of a stream during which the line broke', async () => {
      const proxy = await TcpProxy.start(Number(server.host.split(':')[1]));
      const far = open(server.address(place).replace(server.host, `127.0.0.1:${proxy.port}`));
      const write = failure(stream(far, 'dumps/a', inPieces(bytes(30_000_000))));
      await proxy.sent(10_000_000);
      await proxy.close();
      expect(await write).toMatchObject({ code: 'store-broken', retry: true });
      expect(await listed(store)).toEqual([]);
      await far.close();
    });

    it('connects anew after the server was away', async () => {
      await store.write('config', bytes(10), signal);
      await server.stop();
      expect(await failure(store.stat('config', signal))).toMatchObject({ code: 'store-broken', retry: true });
      await server.restart();
      expect(await store.stat('config', signal)).toEqual({ key: 'config', size: 10 });
    });

    it('says that a line broke in the middle of an object', async () => {
      await store.write('a', bytes(20_000_000), signal);
      const proxy = await TcpProxy.start(Number(server.host.split(':')[1]), 5_000_000);
      const far = open(server.address(place).replace(server.host, `127.0.0.1:${proxy.port}`));
      expect(await failure(far.read('a', undefined, signal))).toMatchObject({ code: 'store-broken', retry: true });
      await far.close();
      await proxy.close();
    });

    it.skipIf(!canMount())('says that the disk is full, and frees what was taken of it', async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=777', 'tmpfs', folder]);
      try {
        expect(await failure(store.write('data/ab/a', bytes(20_000_000), signal))).toMatchObject({
          code: 'store-full',
        });
        expect(await failure(stream(store, 'dumps/a', inPieces(bytes(20_000_000))))).toMatchObject({
          code: 'store-full',
        });
        expect(await listed(store)).toEqual([]);
        expect(await stream(store, 'dumps/a', inPieces(bytes(5_000_000)))).toBe(5_000_000);
      } finally {
        execFileSync('umount', ['--lazy', folder]);
      }
    });

    it('says that the password is wrong, or that there is none, and never shows it', async () => {
      for (const attempt of [
        (other: WebDavStore) => other.stat('config', signal),
        (other: WebDavStore) => other.write('config', bytes(100), signal),
        (other: WebDavStore) => stream(other, 'config', inPieces(bytes(100_000))),
        (other: WebDavStore) => listed(other),
      ]) {
        const stranger = open(server.address(place), 's3cr3t');
        const error = await failure(attempt(stranger));
        expect(error).toMatchObject({ code: 'store-refused', hint: expect.stringContaining('PASSWORD') as string });
        expect(JSON.stringify([error.message, error.hint, error.stack])).not.toContain('s3cr3t');
        await stranger.close();
      }
      const silent = new WebDavStore(parseWebDavAddress(server.address(place).slice('webdav:'.length)), '/');
      expect((await failure(silent.stat('config', signal))).message).toMatch(/^there is no password for webdav:/);
    });

    it('speaks TLS with an authority of its own, and refuses a server that nobody vouched for', async () => {
      const trusting = open(server.address(place, { secure: true }));
      expect(await stream(trusting, 'config', inPieces(bytes(100_000)))).toBe(100_000);
      expect(await store.stat('config', signal)).toEqual({ key: 'config', size: 100_000 });
      await trusting.close();
      const [url = ''] = server.address(place, { secure: true }).split('?');
      const wary = open(url);
      for (const attempt of [wary.stat('config', signal), stream(wary, 'a', inPieces(bytes(1)))]) {
        const error = await failure(attempt);
        expect(error).toMatchObject({ code: 'store-refused', hint: expect.stringContaining('ca-file') as string });
      }
      await wary.close();
    });

    it('says that nobody answers, or that nobody there speaks WebDAV', async () => {
      const gone = open('webdav:http://127.0.0.1:1/x');
      expect(await failure(gone.stat('config', signal))).toMatchObject({ code: 'store-broken', retry: true });
      const outside = open(server.address(place).replace('http:', 'https:'));
      expect(await failure(outside.stat('config', signal))).toMatchObject({ code: 'store-refused' });
    });

    it('is opened by its address, with the password of the credentials', async () => {
      const named = await openStore(server.address(place), { credentials: { password: server.password } });
      await named.write('config', bytes(7), signal);
      expect(await store.stat('config', signal)).toEqual({ key: 'config', size: 7 });
      await named.close();
      const keys = { accessKeyId: 'a', secretAccessKey: 'b' };
      await expect(openStore(server.address(place), { credentials: keys })).rejects.toThrow(ours('config'));
    });
  });
});

async function failure(promise: Promise<unknown>): Promise<RespaldoError> {
  return promise.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error as RespaldoError,
  );
}
