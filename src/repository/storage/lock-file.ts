import { hostname, userInfo } from 'node:os';
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { RespaldoError } from '../../errors.ts';
import type { Id } from '../format/id.ts';
import { isRunning, isTaken, ownIdentity } from './process.ts';

/** Holders renew their lock long before this; an older one was left behind. restic's rule. */
export const STALE_AFTER_MS = 30 * 60 * 1000;

/** restic's lock, and with `process` what restic does not write: who exactly holds it. restic ignores the field. */
const schema = z.object({
  time: z.iso.datetime({ offset: true }),
  exclusive: z.boolean(),
  hostname: z.string().default(''),
  username: z.string().default(''),
  pid: z.number().int(),
  uid: z.number().int().optional(),
  gid: z.number().int().optional(),
  process: z.object({ boot: z.string(), namespace: z.string(), started: z.string() }).optional(),
});

export type LockFile = z.infer<typeof schema>;

/** A lock of this process, held from now on. */
export function newLockFile(exclusive: boolean, clock: Clock): LockFile {
  const identity = ownIdentity();
  return {
    time: clock.now().toISOString(),
    exclusive,
    hostname: hostname(),
    username: userName(),
    pid: process.pid,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
    ...(identity === undefined ? {} : { process: identity }),
  };
}

export function encodeLockFile(lock: LockFile): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(lock));
}

/** @throws RespaldoError `repository-damaged`; the caller knows which lock it is */
export function parseLockFile(json: Uint8Array): LockFile {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(json)));
  } catch (cause) {
    throw new RespaldoError('repository-damaged', 'a lock is damaged: its content is not what a lock holds', { cause });
  }
}

/**
 * Whether the lock's holder is certainly gone, so that the lock need not be respected.
 *
 * Where boot and process namespace are ours, the process itself decides, whatever the clocks say. Elsewhere only age
 * counts: a process number from another container or machine proves nothing, even under the same host name.
 */
export function isAbandoned(lock: LockFile, clock: Clock): boolean {
  const running = lock.process === undefined ? undefined : isRunning(lock.pid, lock.process);
  return running === undefined ? ageOf(lock, clock) > STALE_AFTER_MS : !running;
}

/** restic's wider rule, for somebody who asked for it: on the same host a process number that nobody has is enough. */
export function isStale(lock: LockFile, clock: Clock): boolean {
  return isAbandoned(lock, clock) || (lock.hostname === hostname() && lock.pid > 1 && !isTaken(lock.pid));
}

/** `maria@db1 (process 4711), since 2026-01-31T12:00:00Z (5 min ago)` */
export function describeLock(lock: LockFile, clock: Clock): string {
  const minutes = Math.max(0, Math.floor(ageOf(lock, clock) / 60_000));
  const who = `${lock.username || 'somebody'}@${lock.hostname || 'an unknown host'}`;
  return `${who} (process ${lock.pid}), since ${lock.time} (${minutes} min ago)`;
}

/** A lock with the id it is stored under. */
export interface StoredLock {
  readonly id: Id;
  readonly lock: LockFile;
}

function ageOf(lock: LockFile, clock: Clock): number {
  return clock.now().getTime() - Date.parse(lock.time);
}

/** A container may run under a user id that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}
