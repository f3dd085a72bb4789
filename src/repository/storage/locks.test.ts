import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Clock } from '../../clock.ts';
import { RespaldoError } from '../../errors.ts';
import { LocalStore } from '../../stores/local/local.ts';
import { MemoryStore } from '../../stores/memory.ts';
import { generateKey, Sealer } from '../format/crypto.ts';
import { HeldLock } from './held-lock.ts';
import { encodeLockFile, type LockFile, newLockFile } from './lock-file.ts';
import { listLocks, removeLocks, takeLock, withLock } from './locks.ts';
import { Objects } from './objects.ts';
import { ownIdentity } from './process.ts';

const MINUTE = 60_000;
const signal = new AbortController().signal;
const key = generateKey();

/** A clock that stands still unless told otherwise. */
class HandClock implements Clock {
  time = Date.UTC(2026, 0, 31, 12);

  now(): Date {
    return new Date(this.time);
  }

  monotonic(): number {
    return this.time;
  }
}

let store: MemoryStore;
let objects: Objects;
let clock: HandClock;
beforeEach(() => {
  store = new MemoryStore();
  objects = new Objects(store, new Sealer(key), 2);
  clock = new HandClock();
});

const shared = () => ({ exclusive: false, clock, signal });
const exclusive = () => ({ exclusive: true, clock, signal });
const nothing = () => Promise.resolve('done');

/** Leaves a lock as another program or machine would. */
function leave(lock: Partial<LockFile>): Promise<string> {
  const { process: _, ...own } = newLockFile(false, clock);
  return objects.save('lock', encodeLockFile({ ...own, hostname: 'elsewhere', ...lock }), signal);
}

const locked = (message: string): unknown =>
  expect.objectContaining({ code: 'repository-locked', message: expect.stringContaining(message) as string });

describe('a lock', () => {
  test('is there while the work goes on, and gone afterwards, whatever comes of it', async () => {
    await withLock(objects, shared(), async () => {
      expect(await listLocks(objects, signal)).toMatchObject([
        { lock: { exclusive: false, hostname: hostname(), pid: process.pid } },
      ]);
    });
    expect(await listLocks(objects, signal)).toEqual([]);
    await expect(withLock(objects, exclusive(), () => Promise.reject(new Error('work')))).rejects.toThrow('work');
    expect(await listLocks(objects, signal)).toEqual([]);
  });

  test('that is shared admits others, one that is exclusive none', async () => {
    await withLock(objects, shared(), async () => {
      expect(await withLock(objects, shared(), nothing)).toBe('done');
      await expect(withLock(objects, exclusive(), nothing)).rejects.toThrow(locked('is locked by'));
    });
    await withLock(objects, exclusive(), async () => {
      await expect(withLock(objects, shared(), nothing)).rejects.toThrow(locked('exclusively locked'));
      await expect(withLock(objects, exclusive(), nothing)).rejects.toThrow(locked(`process ${process.pid}`));
    });
    expect(await listLocks(objects, signal)).toEqual([]);
  });

  test('of several that want it exclusively at once is had by at most one', async () => {
    let holders = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++holders);
      await listLocks(objects, signal);
      holders -= 1;
    };
    await Promise.allSettled(Array.from({ length: 8 }, () => withLock(objects, exclusive(), work)));
    expect(most).toBeLessThanOrEqual(1);
    expect(await listLocks(objects, signal)).toEqual([]);
  });

  test('names its holder to whom it hinders', async () => {
    await leave({ hostname: 'db7', username: 'jo', pid: 4711, exclusive: true });
    clock.time += 5 * MINUTE;
    const refused = await withLock(objects, shared(), nothing).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'repository-locked',
      message:
        'the repository is exclusively locked by jo@db7 (process 4711), since 2026-01-31T12:00:00.000Z (5 min ago)',
      hint: expect.stringContaining('respaldo unlock') as string,
      context: { hostname: 'db7', pid: 4711 },
    });
  });

  test('that cannot be read hinders, for nobody knows whose it is; an empty one does not', async () => {
    await store.write(`locks/${'a'.repeat(64)}`, new Uint8Array(0), signal);
    expect(await withLock(objects, exclusive(), nothing)).toBe('done');
    await store.write(`locks/${'b'.repeat(64)}`, Buffer.from('rubbish'), signal);
    await expect(withLock(objects, shared(), nothing)).rejects.toThrow(locked('cannot be read'));
    expect(await removeLocks(objects, false, clock, signal)).toBe(0);
    expect(await removeLocks(objects, true, clock, signal)).toBe(1);
  });

  test('that the store does not hand over just now is not one that cannot be read', async () => {
    await leave({ exclusive: true });
    store.read = () => Promise.reject(new RespaldoError('store-broken', 'no network'));
    await expect(withLock(objects, shared(), nothing)).rejects.toMatchObject({ code: 'store-broken' });
    await expect(removeLocks(objects, true, clock, signal)).rejects.toMatchObject({ code: 'store-broken' });
  });

  test('that is renewed while the locks are read hinders all the same', async () => {
    await leave({ exclusive: true });
    const read = store.read.bind(store);
    const renewFirst: typeof store.read = async (key, range, signal) => {
      await leave({ exclusive: true, pid: 4711 });
      await store.remove(key, signal);
      return read(key, range, signal);
    };
    // Before our own lock is written, and after it.
    vi.spyOn(store, 'read').mockImplementationOnce(renewFirst).mockImplementationOnce(renewFirst);
    await expect(withLock(objects, shared(), nothing)).rejects.toEqual(locked('process 4711'));
  });

  test('that the store refuses is done without for work that only reads', async () => {
    store.write = () => Promise.reject(new RespaldoError('store-refused', 'read-only'));
    await expect(withLock(objects, shared(), nothing)).rejects.toMatchObject({ code: 'store-refused' });
    expect(await withLock(objects, { ...shared(), readOnly: true }, nothing)).toBe('done');
  });
});

describe('an abandoned lock', () => {
  test('is one of another machine after 30 minutes; it is removed when it is in the way', async () => {
    await leave({ exclusive: true });
    clock.time += 30 * MINUTE;
    await expect(withLock(objects, shared(), nothing)).rejects.toThrow(locked('30 min ago'));
    clock.time += 1;
    expect(await withLock(objects, shared(), nothing)).toBe('done');
    expect(await listLocks(objects, signal)).toEqual([]);
  });

  test('stays where it hinders nobody', async () => {
    await leave({ exclusive: false });
    clock.time += 60 * MINUTE;
    expect(await withLock(objects, shared(), nothing)).toBe('done');
    expect(await listLocks(objects, signal)).toHaveLength(1);
  });

  test('is not one of a clock that is ahead of ours', async () => {
    await leave({ exclusive: true, time: new Date(clock.time + 90 * MINUTE).toISOString() });
    clock.time += 60 * MINUTE;
    await expect(withLock(objects, shared(), nothing)).rejects.toThrow(locked('0 min ago'));
  });

  test('is not one of a process that runs here, however old it is', async () => {
    await objects.save('lock', encodeLockFile(newLockFile(true, clock)), signal);
    clock.time += 600 * MINUTE;
    await expect(withLock(objects, shared(), nothing)).rejects.toThrow(locked('600 min ago'));
  });

  test('is one whose number another process has by now', async () => {
    const own = newLockFile(true, clock);
    const identity = ownIdentity();
    if (identity === undefined) return;
    await objects.save('lock', encodeLockFile({ ...own, process: { ...identity, started: '1' } }), signal);
    expect(await withLock(objects, exclusive(), nothing)).toBe('done');
  });

  test('is not one of another container, even if the number is free here', async () => {
    const own = newLockFile(true, clock);
    const identity = ownIdentity();
    if (identity === undefined) return;
    const elsewhere = { ...own, pid: 999_999_999, process: { ...identity, namespace: 'pid:[1]' } };
    await objects.save('lock', encodeLockFile(elsewhere), signal);
    await expect(withLock(objects, shared(), nothing)).rejects.toThrow(locked('exclusively'));
    // Who asks for it decides by restic's rule: same host, no such process.
    expect(await removeLocks(objects, false, clock, signal)).toBe(1);
  });

  test('of restic on this host, whose process is gone, waits for `unlock`', async () => {
    await leave({ hostname: hostname(), pid: 999_999_999, exclusive: true });
    await expect(withLock(objects, shared(), nothing)).rejects.toThrow(locked('exclusively'));
    expect(await removeLocks(objects, false, clock, signal)).toBe(1);
    expect(await withLock(objects, shared(), nothing)).toBe('done');
  });

  test('of the first process of a container is not judged by its number', async () => {
    await leave({ hostname: hostname(), pid: 1, exclusive: true });
    expect(await removeLocks(objects, false, clock, signal)).toBe(0);
  });
});

describe('a lock that is held for long', () => {
  let held: HeldLock;
  beforeEach(async () => {
    held = await HeldLock.create(objects, true, clock, signal);
  });
  afterEach(() => held.release());

  test('is renewed every five minutes, by a new one before the old is removed', async () => {
    const { id } = held;
    clock.time += 5 * MINUTE - 1;
    await held.look();
    expect(held.id).toBe(id);
    clock.time += 1;
    await held.look();
    expect(held.id).not.toBe(id);
    expect(await listLocks(objects, signal)).toMatchObject([
      { id: held.id, lock: { time: clock.now().toISOString() } },
    ]);
  });

  test('is renewed when the clock was set back', async () => {
    const { id } = held;
    clock.time -= MINUTE;
    await held.look();
    expect(held.id).not.toBe(id);
  });

  test('that somebody removed ends the work', async () => {
    await removeLocks(objects, true, clock, signal);
    clock.time += 5 * MINUTE;
    await held.look();
    expect(held.signal.aborted).toBe(true);
    expect(held.signal.reason).toMatchObject({
      code: 'repository-locked',
      message: expect.stringContaining('removed') as string,
    });
    await expect(held.confirm()).rejects.toMatchObject({ code: 'repository-locked' });
    expect(await listLocks(objects, signal)).toEqual([]);
  });

  test('that somebody removes while it is renewed ends the work, and the new one goes', async () => {
    const write = store.write.bind(store);
    vi.spyOn(store, 'write').mockImplementationOnce(async (key, bytes, signal) => {
      await removeLocks(objects, true, clock, signal);
      await write(key, bytes, signal);
    });
    clock.time += 5 * MINUTE;
    await held.look();
    expect(held.signal.reason).toMatchObject({ code: 'repository-locked' });
    expect(await listLocks(objects, signal)).toEqual([]);
  });

  test('is confirmed after a long sleep only if it is still there', async () => {
    clock.time += 60 * MINUTE;
    await held.confirm();
    expect(held.signal.aborted).toBe(false);
    await removeLocks(objects, true, clock, signal);
    clock.time += 60 * MINUTE;
    await expect(held.confirm()).rejects.toMatchObject({ code: 'repository-locked' });
  });

  test('that cannot be renewed ends the work before others may think it abandoned', async () => {
    const write = vi.spyOn(store, 'write').mockRejectedValue(new RespaldoError('store-broken', 'no network'));
    clock.time += 20 * MINUTE;
    await held.look();
    expect(held.signal.aborted).toBe(false);
    clock.time += 3 * MINUTE;
    await held.look();
    expect(held.signal.reason).toMatchObject({ message: expect.stringContaining('renewed in time') as string });
    write.mockRestore();
  });

  test('fails the work with its own reason, not with what followed from it', async () => {
    const failed = withLock(objects, { ...shared(), clock: new HandClock() }, nothing);
    await expect(failed).rejects.toThrow(locked('exclusively'));
    await held.release();
    const running = withLock(objects, shared(), async (during, lock) => {
      await removeLocks(objects, true, clock, signal);
      clock.time += 60 * MINUTE;
      await lock.confirm().catch(() => undefined);
      expect(during.aborted).toBe(true);
      throw new Error('some consequence');
    });
    await expect(running).rejects.toThrow(locked('was removed'));
  });
});

describe('a lock left by kill -9', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'respaldo-locks-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test.each(['shared', 'exclusive'])('that was %s hinders nobody on the same machine', async (kind) => {
    const local = new Objects(new LocalStore(folder), new Sealer(key), 2);
    const script = join(import.meta.dirname, '../../../test/fixtures/lock-holder.ts');
    const secret = Buffer.concat([key.encrypt, key.macK, key.macR]).toString('hex');
    const holder = spawn(process.execPath, [script, folder, secret, ...(kind === 'exclusive' ? ['--exclusive'] : [])]);
    const ended = new Promise((resolve) => holder.once('exit', resolve));
    const options = { exclusive: true, clock: { now: () => new Date(), monotonic: () => 0 }, signal };
    try {
      await new Promise((resolve) => holder.stdout.once('data', resolve));
      await expect(takeLock(local, options)).rejects.toThrow(locked(`process ${holder.pid}`));
    } finally {
      holder.kill('SIGKILL');
      await ended;
    }
    expect(await listLocks(local, signal)).toHaveLength(1);
    expect(await withLock(local, { ...options, exclusive: false }, nothing)).toBe('done');
    expect(await withLock(local, options, nothing)).toBe('done');
    expect(await listLocks(local, signal)).toEqual([]);
  });
});

describe('a policy', () => {
  const sealer = new Sealer(key);

  test('that reads without a lock takes none, and minds nobody, but writes under one', async () => {
    const reading = new Objects(store, sealer, 2, { readUnlocked: true });
    await withLock(objects, exclusive(), async () => {
      const work = async () => (await listLocks(objects, signal)).length;
      expect(await withLock(reading, { ...shared(), readOnly: true }, work)).toBe(1);
      await expect(withLock(reading, shared(), nothing)).rejects.toThrow(locked('exclusively locked'));
    });
  });

  test('that waits takes the lock once the others are done', async () => {
    const held = await takeLock(objects, exclusive());
    const told: string[] = [];
    const onWait = ({ message }: RespaldoError): void => {
      told.push(message);
      void held.release();
    };
    const waiting = new Objects(store, sealer, 2, { waitMs: 1, onWait });
    expect(await withLock(waiting, shared(), nothing)).toBe('done');
    expect(told).toEqual([expect.stringContaining('exclusively locked') as string]);
  });

  test('that waits gives up in the end, and at once when cancelled', async () => {
    const held = await takeLock(objects, exclusive());
    const hand = clock;
    const onWait = (): void => void (hand.time += 1);
    const waiting = new Objects(store, sealer, 2, { waitMs: 3, onWait });
    await expect(withLock(waiting, shared(), nothing)).rejects.toThrow(locked('exclusively locked'));
    const cancel = new AbortController();
    const patient = new Objects(store, sealer, 2, { waitMs: MINUTE, onWait: () => cancel.abort() });
    await expect(withLock(patient, { ...shared(), signal: cancel.signal }, nothing)).rejects.toThrow(/abort/i);
    await held.release();
  });
});
