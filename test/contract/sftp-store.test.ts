/** A folder behind a real OpenSSH server: the contract of every store, and what SFTP promises beyond it. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as immediately } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { throwIfAborted, type RespaldoError } from '../../src/errors.ts';
import { RetryingStore } from '../../src/stores/retrying.ts';
import { parseSftpAddress } from '../../src/stores/sftp/address.ts';
import { SftpStore } from '../../src/stores/sftp/sftp.ts';
import { FaultyStore, taking } from '../fixtures/faulty-store.ts';
import { canMount } from '../fixtures/mount.ts';
import { Agent, HAS_SSHD, hashNames, makeKey, Sshd } from '../fixtures/sshd.ts';
import { bytes, describeStore, expectSwept, inPieces, listed, ours, stream, type StoreFixture } from './store.ts';

const signal = new AbortController().signal;

describe.skipIf(!HAS_SSHD)('over SFTP', () => {
  let server: Sshd;
  let plain: Sshd;
  beforeAll(async () => {
    server = await Sshd.start();
    plain = await Sshd.start({ denied: ['posix-rename', 'fsync', 'statvfs', 'limits'] });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await plain[Symbol.asyncDispose]();
  });

  const on = async (which: Sshd): Promise<StoreFixture> => {
    const folder = await mkdtemp(join(tmpdir(), 'respaldo-sftp-'));
    const remove = () => rm(folder, { recursive: true, force: true });
    return { store: open(which.address(folder)), [Symbol.asyncDispose]: remove };
  };

  describeStore('OpenSSH', () => on(server));
  describeStore('a server without extensions', () => on(plain));
  describeStore('OpenSSH, broken and retrying', async () => {
    const inner = await on(server);
    const faulty = new FaultyStore(inner.store, taking('before', 'after', 'midway', undefined));
    const patience = { attempts: 100, firstDelay: 1, longestDelay: 1 };
    const store = new RetryingStore(faulty, patience, { pause: async (_, until) => throwIfAborted(until) });
    return { store, [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose]() };
  });

  describe('SftpStore', () => {
    let folder: string;
    let store: SftpStore;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'respaldo-sftp-'));
      store = open(server.address(folder));
    });
    afterEach(async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    });
    const modeOf = async (path: string) => (await stat(join(folder, path))).mode & 0o777;

    it("lays objects out as restic does, for the owner's eyes alone", async () => {
      const below = open(server.address(join(folder, 'a/b')));
      await below.create(signal);
      await below.write('config', bytes(1), signal);
      await below.write('respaldo/proofs/1', bytes(3), signal);
      expect((await readdir(join(folder, 'a/b/data'))).length).toBe(256);
      for (const path of ['a', 'a/b', 'a/b/data/ff', 'a/b/locks', 'a/b/respaldo/proofs'])
        expect(await modeOf(path)).toBe(0o700);
      for (const path of ['a/b/config', 'a/b/respaldo/proofs/1']) expect(await modeOf(path)).toBe(0o600);
      await below.close();
    });

    it('lets the group read what is added to a repository that it may read', async () => {
      await writeFile(join(folder, 'config'), 'x');
      await chmod(join(folder, 'config'), 0o440);
      await store.write('data/ab/abcd', bytes(2), signal);
      expect(await modeOf('data/ab/abcd')).toBe(0o640);
    });

    it("passes over what is being written, restic's own as well, and sweeps it out after a day", async () => {
      await expectSwept(store, folder);
    });

    it('leaves nothing behind where a write is given up', async () => {
      await store.create(signal);
      const giveUp = new AbortController();
      const write = store.write('data/ab/a', bytes(40_000_000), giveUp.signal);
      while ((await readdir(join(folder, 'data/ab'))).length === 0) await immediately();
      giveUp.abort();
      await expect(write).rejects.toThrow(ours('cancelled'));
      expect(await readdir(join(folder, 'data/ab'))).toEqual([]);
    });

    it('leaves nothing of a stream during which the line broke, and takes the next one', async () => {
      await store.create(signal);
      const content = async function* () {
        yield bytes(5_000_000);
        expect(await server.dropConnections()).toBeGreaterThan(0);
        yield bytes(5_000_000);
      };
      expect(await failure(stream(store, 'dumps/a', content()))).toMatchObject({ code: 'store-broken', retry: true });
      expect(await listed(store)).toEqual([]);
      expect(await readdir(join(folder, 'dumps'))).toEqual([]);
      expect(await stream(store, 'dumps/a', inPieces(bytes(5_000_000)))).toBe(5_000_000);
      expect(await listed(store)).toEqual([{ key: 'dumps/a', size: 5_000_000 }]);
    });

    it.skipIf(!canMount())('says that the disk is full, and frees what a stream has taken', async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder]);
      try {
        const error = await failure(stream(store, 'dumps/a', inPieces(bytes(20_000_000))));
        expect(error).toMatchObject({ code: 'store-full' });
        expect(await readdir(join(folder, 'dumps'))).toEqual([]);
        expect(await stream(store, 'dumps/a', inPieces(bytes(5_000_000)))).toBe(5_000_000);
        await store.close();
      } finally {
        execFileSync('umount', ['--lazy', folder]);
      }
    });

    it('does not write into a place that is gone', async () => {
      const gone = open(server.address(join(folder, 'disk')));
      await expect(gone.write('data/ab/b', bytes(1), signal)).rejects.toThrow(ours('store-missing'));
      expect(await readdir(folder)).toEqual([]);
      await gone.close();
    });

    it('follows a folder that lies elsewhere, and no link in a circle', async () => {
      await mkdir(join(folder, 'elsewhere'));
      await mkdir(join(folder, 'repository'));
      await symlink('../elsewhere', join(folder, 'repository/data'));
      await symlink('..', join(folder, 'elsewhere/circle'));
      await symlink('nowhere', join(folder, 'repository/dangling'));
      const linked = open(server.address(join(folder, 'repository')));
      await linked.write('data/ab/abcd', bytes(5), signal);
      expect(await listed(linked, 'data/')).toContainEqual({ key: 'data/ab/abcd', size: 5 });
      await linked.close();
    });

    it('connects anew after the line broke, whoever was reading then is told to try again', async () => {
      await store.create(signal);
      await store.write('data/ab/a', bytes(30_000_000), signal);
      const reads = Array.from({ length: 5 }, () => store.read('data/ab/a', undefined, signal));
      const outcomes = Promise.allSettled(reads);
      await store.stat('data/ab/a', signal);
      expect(await server.dropConnections()).toBeGreaterThan(0);
      for (const outcome of await outcomes)
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'store-broken', retry: true } });
      expect((await store.read('data/ab/a', undefined, signal)).length).toBe(30_000_000);
    });

    it('says that the folder is closed to us', async () => {
      const error = await failure(open(server.address('/proc/respaldo')).create(signal));
      expect(error.message).toContain(`sftp://${server.user}@127.0.0.1:${server.port}//proc/respaldo`);
    });

    it('says that nobody answers, and that trying again may help', async () => {
      const error = await failure(open('sftp://nobody@127.0.0.1:1//x').stat('config', signal));
      expect(error).toMatchObject({ code: 'store-broken', retry: true });
      expect(error.message).toContain('cannot connect to sftp://nobody@127.0.0.1:1//x');
    });
  });

  describe('before anything is sent', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'respaldo-ssh-'));
    });
    afterEach(async () => {
      await rm(folder, { recursive: true, force: true });
    });

    const tryWith = async (options: { identity?: string; knownHosts?: string }) => {
      const address = parseSftpAddress(server.address(folder).slice('sftp:'.length));
      const store = new SftpStore({ ...address, ...options }, folder);
      try {
        return await store.create(signal).then(
          () => undefined,
          (error: unknown) => error as RespaldoError,
        );
      } finally {
        await store.close();
      }
    };
    const knowing = async (line: string) => {
      await writeFile(join(folder, 'known'), `${line}\n`);
      return { knownHosts: join(folder, 'known') };
    };
    const hostKey = async () => (await readFile(server.knownHosts, 'utf8')).trim().split(' ').slice(1).join(' ');

    it('refuses a server that nobody vouched for, and says how to get its key', async () => {
      const error = await tryWith({ knownHosts: join(folder, 'none') });
      expect(error).toMatchObject({ code: 'store-refused' });
      expect(error?.message).toContain(`the host key of [127.0.0.1]:${server.port} is not known`);
      expect(error?.hint).toContain(`ssh-keyscan -p ${server.port} 127.0.0.1 >> ${join(folder, 'none')}`);
    });

    it('refuses, loudly, a server whose key is not the known one', async () => {
      await makeKey(join(folder, 'other'));
      const other = (await readFile(join(folder, 'other.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
      const error = await tryWith(await knowing(`# mine\n[127.0.0.1]:${server.port} ${other}`));
      expect(error).toMatchObject({ code: 'store-refused' });
      expect(error?.message).toContain('HAS CHANGED');
      expect(error?.message).toContain(`${join(folder, 'known')}:2`);
      expect(error?.hint).toContain(`ssh-keygen -R '[127.0.0.1]:${server.port}'`);
    });

    it('refuses a key that was revoked', async () => {
      const line = `[127.0.0.1]:${server.port} ${await hostKey()}`;
      const error = await tryWith(await knowing(`${line}\n@revoked ${line}`));
      expect(error?.message).toContain('revoked');
    });

    it('refuses a key that is known for another port only', async () => {
      expect((await tryWith(await knowing(`127.0.0.1 ${await hostKey()}`)))?.message).toContain('is not known');
    });

    it("accepts a key whose host's name is hashed, as ssh-keygen does it", async () => {
      const { knownHosts } = await knowing(`[127.0.0.1]:${server.port} ${await hostKey()}`);
      await hashNames(knownHosts);
      expect(await readFile(knownHosts, 'utf8')).toMatch(/^\|1\|/);
      expect(await tryWith({ knownHosts })).toBeUndefined();
    });

    it('says which keys were offered in vain', async () => {
      await makeKey(join(folder, 'stranger'));
      const error = await tryWith({ identity: join(folder, 'stranger') });
      expect(error).toMatchObject({ code: 'store-refused' });
      expect(error?.message).toContain(`it was offered ${join(folder, 'stranger')}`);
    });

    it('says that the key of the address is missing, or sealed', async () => {
      expect((await tryWith({ identity: join(folder, 'none') }))?.message).toContain('cannot read the private key');
      await makeKey(join(folder, 'sealed'), 'a passphrase');
      const error = await tryWith({ identity: join(folder, 'sealed') });
      expect(error).toMatchObject({ code: 'store-refused' });
      expect(error?.hint).toContain('ssh-add');
    });

    it('logs in with the keys of an agent', async () => {
      await using agent = await Agent.start(folder, server.identity);
      expect(await agent.within(() => tryWith({ identity: join(folder, 'sealed') }))).toMatchObject({
        message: expect.stringContaining('cannot read') as string,
      });
      await makeKey(join(folder, 'sealed'), 'a passphrase');
      expect(await agent.within(() => tryWith({ identity: join(folder, 'sealed') }))).toBeUndefined();
    });

    it('takes the usual key and the usual known hosts where the address names none', async () => {
      await mkdir(join(folder, '.ssh'));
      await writeFile(join(folder, '.ssh/id_ed25519'), await readFile(server.identity), { mode: 0o600 });
      await writeFile(join(folder, '.ssh/known_hosts'), await readFile(server.knownHosts));
      const { HOME } = process.env;
      process.env.HOME = folder;
      const store = open(`sftp://${server.user}@127.0.0.1:${server.port}//${folder}`);
      try {
        await store.write('config', bytes(7), signal);
        expect(await store.stat('config', signal)).toEqual({ key: 'config', size: 7 });
      } finally {
        process.env.HOME = HOME;
        await store.close();
      }
    });
  });
});

function open(url: string): SftpStore {
  return new SftpStore(parseSftpAddress(url.slice('sftp:'.length)), '/');
}

async function failure(promise: Promise<unknown>): Promise<RespaldoError> {
  return promise.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error as RespaldoError,
  );
}
