import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import { isError, RespaldoError, throwIfAborted } from '../../errors.ts';
import type { Id } from '../format/id.ts';
import { type Guard, HeldLock } from './held-lock.ts';
import { describeLock, isAbandoned, isStale, parseLockFile, type StoredLock } from './lock-file.ts';
import type { Objects } from './objects.ts';

export interface LockOptions {
  /** Nobody else may hold any lock. Otherwise: nobody else may hold an exclusive one. */
  readonly exclusive: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The work only reads: where the store refuses to take a lock (a read-only copy), go on without one. */
  readonly readOnly?: boolean;
}

/** Between two attempts at a lock; each time twice as long. */
const FIRST_WAIT_MS = 5000;
const LONGEST_WAIT_MS = 60_000;
const UNLOCK_HINT = 'Wait until that process is done. If it is gone for good, run `respaldo unlock`.';
const UNREADABLE_HINT = 'If no other program uses the repository, run `respaldo unlock --remove-all`.';
/** A lock may be renewed just while the list is read; then it is read again. */
const MAX_LISTINGS = 10;

/** A lock that was taken, or the leave to go on without one. To be released in a `finally`. */
export interface TakenLock extends Guard {
  release(): Promise<void>;
}

/**
 * Does the work under a lock in the repository, with restic's meaning and format. The lock is renewed while the work
 * goes on; if it is lost, the work's signal aborts. It is removed in the end, whatever happens.
 * @throws RespaldoError `repository-locked` that names the holder
 */
export async function withLock<T>(
  objects: Objects,
  options: LockOptions,
  work: (signal: AbortSignal, guard: Guard) => Promise<T>,
): Promise<T> {
  const lock = await takeLock(objects, options);
  try {
    return await work(lock.signal, lock);
  } catch (error) {
    // What fails because the lock was lost failed for that reason.
    throwIfAborted(lock.signal);
    throw error;
  } finally {
    await lock.release();
  }
}

/**
 * Takes a lock, or waits for those who hold another, as the policy of the objects says.
 * @throws RespaldoError `repository-locked` that names the holder
 */
export async function takeLock(objects: Objects, options: LockOptions): Promise<TakenLock> {
  const { readUnlocked = false, waitMs = 0, onWait } = objects.locking;
  if (readUnlocked && options.readOnly === true) return goWithout(options.signal);
  const { clock, signal } = options;
  const start = clock.monotonic();
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      return await tryLock(objects, options);
    } catch (error) {
      const left = waitMs - (clock.monotonic() - start);
      if (!isError(error, 'repository-locked') || left <= 0) throw error;
      onWait?.(error);
      await sleep(Math.min(wait, left), undefined, { signal });
    }
  }
}

/**
 * Looks for others, writes our lock, looks again: of two that do this at once, at least one sees the other, because a
 * store lists what was written.
 */
async function tryLock(objects: Objects, options: LockOptions): Promise<TakenLock> {
  await refuseConflicts(objects, undefined, options);
  const held = await create(objects, options);
  if (held === undefined) return goWithout(options.signal);
  try {
    await refuseConflicts(objects, held.id, options);
    return held;
  } catch (error) {
    await held.release();
    throw error;
  }
}

function goWithout(signal: AbortSignal): TakenLock {
  const nothing = () => Promise.resolve();
  return { signal, confirm: nothing, release: nothing };
}

/** All locks that can be read, stale or not. */
export async function listLocks(objects: Objects, signal: AbortSignal): Promise<StoredLock[]> {
  const found = await readLocks(objects, undefined, signal);
  return found.filter((entry) => 'lock' in entry);
}

/** Removes stale locks, or all of them, even unreadable ones. @returns how many */
export async function removeLocks(objects: Objects, all: boolean, clock: Clock, signal: AbortSignal): Promise<number> {
  let removed = 0;
  for (const entry of await readLocks(objects, undefined, signal)) {
    const dead = 'lock' in entry && isStale(entry.lock, clock);
    if (!all && !dead) continue;
    await objects.remove('lock', entry.id, signal);
    removed += 1;
  }
  return removed;
}

async function create(objects: Objects, options: LockOptions): Promise<HeldLock | undefined> {
  try {
    return await HeldLock.create(objects, options.exclusive, options.clock, options.signal);
  } catch (error) {
    if (options.readOnly === true && isError(error, 'store-refused')) return undefined;
    throw error;
  }
}

/**
 * An abandoned lock in the way is removed, not just passed over: should its holder only have slept, it finds its lock
 * gone and gives up.
 */
async function refuseConflicts(objects: Objects, own: Id | undefined, options: LockOptions): Promise<void> {
  for (const entry of await readLocks(objects, own, options.signal)) {
    if (!('lock' in entry)) throw unreadable(entry.id, entry.error);
    if (!options.exclusive && !entry.lock.exclusive) continue;
    if (!isAbandoned(entry.lock, options.clock)) throw locked(entry, options.clock);
    await objects.remove('lock', entry.id, options.signal);
  }
}

type ReadLock = StoredLock | { readonly id: Id; readonly error: unknown };

async function readLocks(objects: Objects, own: Id | undefined, signal: AbortSignal): Promise<ReadLock[]> {
  const read = new Map<Id, ReadLock>();
  for (let listing = 0; listing < MAX_LISTINGS; listing++) {
    let vanished = false;
    for await (const { id, size } of objects.list('lock', signal)) {
      // An empty one is the rest of a write that was cut off in a store without atomic writes.
      if (id === own || size === 0 || read.has(id)) continue;
      const entry = await readLock(objects, id, signal);
      if (entry === undefined) vanished = true;
      else read.set(id, entry);
    }
    if (!vanished) break;
  }
  return [...read.values()];
}

/** Undefined if it is gone by now. */
async function readLock(objects: Objects, id: Id, signal: AbortSignal): Promise<ReadLock | undefined> {
  try {
    return { id, lock: parseLockFile(await objects.load('lock', id, signal)) };
  } catch (error) {
    if (isError(error, 'store-missing')) return undefined;
    // A store that does not answer says nothing about the lock.
    if (error instanceof RespaldoError && error.code !== 'repository-damaged') throw error;
    return { id, error };
  }
}

function locked({ id, lock }: StoredLock, clock: Clock): RespaldoError {
  const how = lock.exclusive ? 'exclusively locked' : 'locked';
  return new RespaldoError('repository-locked', `the repository is ${how} by ${describeLock(lock, clock)}`, {
    hint: UNLOCK_HINT,
    context: { lock: id, hostname: lock.hostname, username: lock.username, pid: lock.pid, time: lock.time },
  });
}

function unreadable(id: Id, cause: unknown): RespaldoError {
  return new RespaldoError('repository-locked', `the repository has a lock that cannot be read: ${id}`, {
    hint: UNREADABLE_HINT,
    context: { lock: id },
    cause,
  });
}
