/** What a folder of this machine promises beyond every other store. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { newRoom } from '../../src/repository/format/room.ts';
import { LocalStore } from '../../src/stores/local/local.ts';
import { withoutPrivileges } from '../fixtures/cli.ts';
import { canMount } from '../fixtures/mount.ts';
import { contentOf } from '../fixtures/known-content.ts';
import { bytes, inPieces, listed, ours, stream } from './store.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');
const signal = new AbortController().signal;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-local-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('LocalStore', () => {
  it("lays objects out as restic does, for the owner's eyes alone", async () => {
    const store = new LocalStore(join(folder, 'a/b/repository'));
    await store.create(signal);
    await store.write('config', bytes(1), signal);
    await store.write('data/ab/abcd', bytes(2), signal);
    await store.write('respaldo/proofs/1', bytes(3), signal);
    expect((await readdir(store.location)).sort()).toEqual(
      ['config', 'data', 'index', 'keys', 'locks', 'respaldo', 'snapshots'].sort(),
    );
    expect(await readdir(join(store.location, 'data'))).toHaveLength(256);
    expect(await modeOf('a')).toBe(0o700);
    for (const path of ['', '/data', '/data/ab', '/respaldo/proofs']) {
      expect(await modeOf(`a/b/repository${path}`)).toBe(0o700);
    }
    for (const path of ['config', 'data/ab/abcd', 'respaldo/proofs/1']) {
      expect(await modeOf(`a/b/repository/${path}`)).toBe(0o600);
    }
  });

  it('lets the group read what is added to a repository that it may read', async () => {
    await writeFile(join(folder, 'config'), 'x');
    await chmod(join(folder, 'config'), 0o440);
    await new LocalStore(folder).write('data/ab/abcd', bytes(2), signal);
    expect(await modeOf('data/ab/abcd')).toBe(0o640);
  });

  it('replaces and removes what restic has made read-only', async () => {
    const store = new LocalStore(folder);
    await store.write('index/a', bytes(1), signal);
    await chmod(join(folder, 'index/a'), 0o400);
    await store.write('index/a', bytes(2), signal);
    await chmod(join(folder, 'index/a'), 0o400);
    await store.remove('index/a', signal);
    expect(await listed(store)).toEqual([]);
  });

  it("passes over what is being written, restic's own as well", async () => {
    const store = new LocalStore(folder);
    await store.write('data/ab/abcd', bytes(1), signal);
    await writeFile(join(folder, 'data/ab/abcd-tmp-0123456789'), 'half');
    await writeFile(join(folder, 'data/ab/ef-tmp-0a1b2c3d4e5f6071'), 'half');
    expect(await listed(store)).toEqual([{ key: 'data/ab/abcd', size: 1 }]);
  });

  it('sweeps out what killed writers left a day ago, and nothing else', async () => {
    const names = ['data/ab/a-tmp-0123456789abcdef', 'locks/b-tmp-123456', 'data/ab/abcd', 'config'];
    for (const name of ['data/ab', 'locks']) await mkdir(join(folder, name), { recursive: true });
    for (const name of names) await writeFile(join(folder, name), 'x');
    const store = (hours: number) =>
      new LocalStore(folder, { now: () => new Date(Date.now() + hours * 3_600_000), monotonic: () => 0 });
    await store(23).sweep(signal);
    expect(await readdir(join(folder, 'data/ab'))).toHaveLength(2);
    await store(25).sweep(signal);
    expect(await listed(store(0))).toHaveLength(2);
    expect(await readdir(join(folder, 'data/ab'))).toEqual(['abcd']);
    expect(await readdir(join(folder, 'locks'))).toEqual([]);
  });

  it('sweeps a place that it shares of what ended writers and nobody for a day go on with, if it is the caller’s', async () => {
    const random = '0123456789abcdef';
    const names = [`ours-tmp-${random}gone`, `ours-tmp-${random}lives`, `theirs-tmp-${random}gone`, 'ours'];
    for (const name of names) await writeFile(join(folder, name), 'x');
    const store = (hours: number) =>
      new LocalStore(
        folder,
        { now: () => new Date(Date.now() + hours * 3_600_000), monotonic: () => 0 },
        { mark: 'me', isGone: (mark) => Promise.resolve(mark === 'gone') },
      );
    const isOurs = (key: string) => key.startsWith('ours');
    await store(0).sweep(signal, isOurs);
    expect((await readdir(folder)).toSorted()).toEqual(names.slice(1).toSorted());
    await store(25).sweep(signal, isOurs);
    expect((await readdir(folder)).toSorted()).toEqual(names.slice(2).toSorted());
  });

  it('makes a folder again that somebody removed meanwhile', async () => {
    const store = new LocalStore(folder);
    await store.write('data/ab/a', bytes(1), signal);
    await rm(join(folder, 'data'), { recursive: true });
    await store.write('data/ab/b', bytes(1), signal);
    expect(await listed(store)).toEqual([{ key: 'data/ab/b', size: 1 }]);
  });

  it('does not write into a place that is gone, such as a disk that is not mounted', async () => {
    const store = new LocalStore(join(folder, 'disk'));
    await store.create(signal);
    await store.write('data/ab/a', bytes(1), signal);
    await rename(join(folder, 'disk'), join(folder, 'elsewhere'));
    await expect(store.write('data/ab/b', bytes(1), signal)).rejects.toThrow(ours('store-missing'));
    expect(await listed(store)).toEqual([]);
    expect(await readdir(folder)).toEqual(['elsewhere']);
  });

  it('follows a folder that lies elsewhere, and no link in a circle', async () => {
    const store = new LocalStore(join(folder, 'repository'));
    await mkdir(join(folder, 'repository'));
    await mkdir(join(folder, 'big-disk'));
    await symlink('../big-disk', join(folder, 'repository/data'));
    await symlink('..', join(folder, 'big-disk/circle'));
    await symlink('nowhere', join(folder, 'repository/dangling'));
    await store.write('data/ab/abcd', bytes(5), signal);
    expect(await listed(store, 'data/')).toContainEqual({ key: 'data/ab/abcd', size: 5 });
  });

  it('reports an object that somebody cut short', async () => {
    const store = new LocalStore(folder);
    await store.write('data/ab/a', bytes(100), signal);
    await truncate(join(folder, 'data/ab/a'), 60);
    const reading = store.read('data/ab/a', { offset: 50, length: 20 }, signal);
    await expect(reading).rejects.toThrow(ours('store-broken'));
    await expect(reading).rejects.toThrow('data/ab/a is too short: it has 60 bytes, 20 were asked for from 50');
  });

  it('says so when a file stands where a folder should be', async () => {
    await writeFile(join(folder, 'file'), 'x');
    const store = new LocalStore(join(folder, 'file'));
    await expect(store.create(signal)).rejects.toThrow(ours('store-broken'));
    await expect(store.write('config', bytes(1), signal)).rejects.toThrow(ours('store-broken'));
  });

  it('does not hang where no folder can be made', async () => {
    await expect(new LocalStore('/proc/respaldo').create(signal)).rejects.toThrow(ours('store-broken'));
  });

  it('never lists half an object, whenever its writer is killed', async () => {
    let written = 0;
    for (let life = 1; life <= 8; life++) {
      written = await writeUntilKilled(written, 1 + (life % 4), life * 3);
      for (const { key, size } of await listed(new LocalStore(folder))) {
        const content = contentOf(Number(key.split('/').at(-1)));
        expect(size).toBe(content.length);
        expect(Buffer.compare(await new LocalStore(folder).read(key, undefined, signal), content)).toBe(0);
      }
    }
    // All but the last of each life were reported as written.
    expect((await listed(new LocalStore(folder))).length).toBeGreaterThanOrEqual(written - 8);
  });
});

describe('LocalStore without the rights', () => {
  it.each([
    ['create', 'create'],
    ['write', 'write'],
    ['read', 'read'],
    ['list', 'list'],
    ['remove', 'remove'],
  ])('says that it may not %s', async (method, verb) => {
    const store = new LocalStore(folder);
    await store.write('data/ab/old', bytes(1), signal);
    const closed =
      method === 'create' ? [folder] : ['data/ab/old', 'data/ab', 'data'].map((path) => join(folder, path));
    if (method === 'create') await rm(join(folder, 'data'), { recursive: true });
    const modes = method === 'write' || method === 'remove' || method === 'create' ? 0o500 : 0o000;
    for (const path of closed) await chmod(path, modes);
    const failure = tryWithoutPrivileges(method);
    for (const path of closed.toReversed()) await chmod(path, 0o700);
    expect(failure).toMatchObject({ code: 'store-refused' });
    expect(failure.message).toMatch(new RegExp(`^cannot ${verb} ${folder}.*: permission denied \\(EACCES\\)$`));
    expect(failure.hint).toContain('permissions');
    expect(await listed(store)).toEqual(method === 'create' ? [] : [{ key: 'data/ab/old', size: 1 }]);
  });
});

describe('LocalStore and large objects', () => {
  const MIB = 1024 * 1024;
  const content = randomBytes(3 * MIB + 12_345);

  it('writes them whole, wherever in memory they begin, and whatever they end with', async () => {
    const store = new LocalStore(folder);
    const room = newRoom(content.length + 100);
    for (const [i, from] of [0, 1, 16, 100].entries()) {
      for (const length of [MIB - 1, MIB, MIB + 1, 2 * MIB + 4095, content.length]) {
        const object = room.subarray(from, from + length);
        object.set(content.subarray(0, length));
        const key = `data/${i}/${length}`;
        await store.write(key, object, signal);
        expect(Buffer.compare(await store.read(key, undefined, signal), content.subarray(0, length))).toBe(0);
      }
    }
  });

  it.skipIf(!knowsDirectWrites())('leave the cache of the system to others, but for their last page', async () => {
    const room = newRoom(content.length).subarray(0, content.length);
    room.set(content);
    await new LocalStore(folder).write('data/ab/abcd', room, signal);
    const cached = execFileSync('fincore', [
      '--bytes',
      '--noheadings',
      '--output',
      'RES',
      join(folder, 'data/ab/abcd'),
    ]);
    expect(Number(cached)).toBeLessThanOrEqual(4096);
  });
});

describe.skipIf(!canMount())('LocalStore on a small disk', () => {
  beforeEach(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
  });
  afterEach(() => {
    execFileSync('umount', [folder]);
  });

  it('says that the disk is full, leaves nothing behind, and goes on when there is room again', async () => {
    const store = new LocalStore(folder);
    await store.create(signal);
    const writes = [1, 2, 3, 4, 5, 6].map((i) => store.write(`data/ab/${i}`, bytes(1_000_000), signal));
    const failed = (await Promise.allSettled(writes)).filter(({ status }) => status === 'rejected');
    expect(failed.length).toBeGreaterThan(1);
    for (const failure of failed) expect(failure).toMatchObject({ reason: ours('store-full') });
    const objects = await listed(store);
    expect(objects).toHaveLength(6 - failed.length);
    for (const { size } of objects) expect(size).toBe(1_000_000);
    expect(await readdir(join(folder, 'data/ab'))).toHaveLength(objects.length);

    for (const { key } of objects.slice(0, 2)) await store.remove(key, signal);
    await store.write('data/ab/7', bytes(1_000_000), signal);
    expect(await store.read('data/ab/7', undefined, signal)).toEqual(bytes(1_000_000));
  });

  it('says that the disk is full in the middle of a large object', async () => {
    const store = new LocalStore(folder);
    await expect(store.write('data/ab/a', newRoom(6_000_000), signal)).rejects.toThrow(ours('store-full'));
    expect(await readdir(join(folder, 'data/ab'))).toEqual([]);
  });

  it('says that the disk is full, and frees what a stream has taken', async () => {
    const store = new LocalStore(folder);
    await expect(stream(store, 'dumps/a', inPieces(bytes(6_000_000)))).rejects.toThrow(ours('store-full'));
    expect(await readdir(join(folder, 'dumps'))).toEqual([]);
    expect(await stream(store, 'dumps/a', inPieces(bytes(3_000_000)))).toBe(3_000_000);
  });

  it('says that the disk is read-only', async () => {
    const store = new LocalStore(folder);
    await store.write('config', bytes(1), signal);
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    await expect(store.write('config', bytes(2), signal)).rejects.toThrow(ours('store-refused'));
    await expect(store.remove('config', signal)).rejects.toThrow(ours('store-refused'));
    expect(await store.read('config', undefined, signal)).toEqual(bytes(1));
  });
});

/** Whether the disk for temporary files takes writes past the cache; where it does not, the cache is used. */
function knowsDirectWrites(): boolean {
  const path = join(tmpdir(), `respaldo-direct-${String(process.pid)}`);
  try {
    closeSync(openSync(path, constants.O_CREAT | constants.O_WRONLY | constants.O_DIRECT, 0o600));
    return true;
  } catch {
    console.warn('this disk takes no writes past the cache (O_DIRECT): not tested');
    return false;
  } finally {
    rmSync(path, { force: true });
  }
}

async function modeOf(path: string): Promise<number> {
  return (await stat(join(folder, path))).mode & 0o777;
}

/** Lets a process write from object `from` on, and kills it a little after it began the last of `count`. @returns the next number. */
async function writeUntilKilled(from: number, count: number, turns: number): Promise<number> {
  const child = spawn(process.execPath, [join(FIXTURES, 'endless-writer.ts'), folder, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let next = from;
  for await (const line of createInterface({ input: child.stdout })) {
    next = Number(line) + 1;
    if (next < from + count) continue;
    // Some turns of the event loop are as good as any time to strike.
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    child.kill('SIGKILL');
  }
  await ended;
  return next;
}

function tryWithoutPrivileges(method: string): { code?: string; message?: string; hint?: string } {
  const argv = [...withoutPrivileges(), process.execPath, join(FIXTURES, 'store-writer.ts'), folder, method];
  const output = execFileSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8' });
  return JSON.parse(output) as { code?: string; message?: string; hint?: string };
}
