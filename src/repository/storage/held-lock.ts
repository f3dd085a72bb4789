import type { Clock } from '../../clock.ts';
import { RespaldoError, throwIfAborted } from '../../errors.ts';
import type { Id } from '../format/id.ts';
import { encodeLockFile, newLockFile, STALE_AFTER_MS } from './lock-file.ts';
import type { Objects } from './objects.ts';

const REFRESH_MS = 5 * 60 * 1000;
/** How often the time is looked at: timers stand still while a machine sleeps. */
const LOOK_MS = 10_000;
/** Without a refresh for so long others may soon think us dead; their clocks may be a little ahead of ours. */
const LOST_AFTER_MS = STALE_AFTER_MS - REFRESH_MS * 1.5;
/** How long the end of the work may be held up by removing the lock. */
const RELEASE_MS = 60_000;

/** What the work may ask of the lock that protects it. */
export interface Guard {
  /** Aborts with the caller's signal, and when the lock is lost. */
  readonly signal: AbortSignal;
  /**
   * Makes sure that the lock was not lost, for instance while the machine slept. To be called before a step that must
   * not happen unprotected: writing a snapshot, removing a pack.
   * @throws RespaldoError `repository-locked`
   */
  confirm(): Promise<void>;
}

/** A lock of this process, renewed by writing a new one before the old is removed. */
export class HeldLock implements Guard {
  readonly #objects: Objects;
  readonly #exclusive: boolean;
  readonly #clock: Clock;
  readonly #lost = new AbortController();
  /** Aborts with the caller's signal, or when the lock is lost, with what happened as its reason. */
  readonly signal: AbortSignal;
  readonly #looking: NodeJS.Timeout;
  #id: Id;
  #refreshedAt: number;
  #refreshing: Promise<void> | undefined;
  #released = false;

  private constructor(objects: Objects, exclusive: boolean, clock: Clock, id: Id, now: number, signal: AbortSignal) {
    this.#objects = objects;
    this.#exclusive = exclusive;
    this.#clock = clock;
    this.#id = id;
    this.#refreshedAt = now;
    this.signal = AbortSignal.any([signal, this.#lost.signal]);
    this.#looking = setInterval(() => void this.look(), LOOK_MS);
    this.#looking.unref();
    surviveHangups();
  }

  /** Writes the lock and keeps it fresh until `release`. Whether somebody else holds one is not looked at. */
  static async create(objects: Objects, exclusive: boolean, clock: Clock, signal: AbortSignal): Promise<HeldLock> {
    const now = clock.now().getTime();
    const id = await objects.save('lock', encodeLockFile(newLockFile(exclusive, clock)), signal);
    return new HeldLock(objects, exclusive, clock, id, now, signal);
  }

  get id(): Id {
    return this.#id;
  }

  /** Refreshes if it is time, and gives the lock up for lost if that has not been possible for too long. */
  async look(): Promise<void> {
    if (this.#sinceRefresh() < REFRESH_MS) return;
    try {
      await this.#refreshOnce();
    } catch (error) {
      // A store that does not answer may do so next time.
      if (!this.#lost.signal.aborted && this.#sinceRefresh() > LOST_AFTER_MS)
        this.#lost.abort(lost('could not be renewed in time', error));
    }
  }

  async confirm(): Promise<void> {
    throwIfAborted(this.#lost.signal);
    if (this.#sinceRefresh() >= REFRESH_MS * 2) await this.#refreshOnce();
  }

  /** Ends the watch and removes the lock. A failure is not worth the work's result: the lock goes stale by itself. */
  async release(): Promise<void> {
    clearInterval(this.#looking);
    if (!this.#released) acceptHangups();
    this.#released = true;
    await this.#refreshing?.catch(ignore);
    await this.#objects.remove('lock', this.#id, AbortSignal.timeout(RELEASE_MS)).catch(ignore);
  }

  /** Milliseconds; a clock that was set back counts as long ago. */
  #sinceRefresh(): number {
    const since = this.#clock.now().getTime() - this.#refreshedAt;
    return since < 0 ? REFRESH_MS * 2 : since;
  }

  #refreshOnce(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /**
   * A lock that somebody removed was taken for stale: what it protected may be gone. So the old one must be there until
   * the new one is.
   */
  async #refresh(): Promise<void> {
    const signal = AbortSignal.timeout(REFRESH_MS);
    const now = this.#clock.now().getTime();
    await this.#demandPresence(signal);
    const next = await this.#objects.save('lock', encodeLockFile(newLockFile(this.#exclusive, this.#clock)), signal);
    try {
      await this.#demandPresence(signal);
    } catch (error) {
      await this.#objects.remove('lock', next, signal).catch(ignore);
      throw error;
    }
    const previous = this.#id;
    this.#id = next;
    this.#refreshedAt = now;
    await this.#objects.remove('lock', previous, signal).catch(ignore);
  }

  async #demandPresence(signal: AbortSignal): Promise<void> {
    for await (const { id } of this.#objects.list('lock', signal)) if (id === this.#id) return;
    const error = lost('was removed by somebody else');
    this.#lost.abort(error);
    throw error;
  }
}

let holders = 0;

/** restic on the same machine asks whether a lock's holder is alive by sending it a SIGHUP: to survive is the answer. */
function surviveHangups(): void {
  if (holders === 0) process.on('SIGHUP', ignore);
  holders += 1;
}

function acceptHangups(): void {
  holders -= 1;
  if (holders === 0) process.off('SIGHUP', ignore);
}

function ignore(): void {
  // Nothing more is to be done; see where this is used.
}

function lost(what: string, cause?: unknown): RespaldoError {
  return new RespaldoError('repository-locked', `our lock on the repository ${what}`, {
    hint: 'Nothing older was harmed. Run the same command again.',
    ...(cause === undefined ? {} : { cause }),
  });
}
