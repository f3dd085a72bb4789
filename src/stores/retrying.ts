import { RespaldoError, throwIfAborted } from '../errors.ts';
import type { Pause } from './pause.ts';
import { pause as realPause } from './pause.ts';
import type { Store, StoredObject } from './store.ts';

/** How long to be patient. Milliseconds. */
export interface Patience {
  /** Including the first. */
  readonly attempts: number;
  /** Doubles with each attempt … */
  readonly firstDelay: number;
  /** … up to this. */
  readonly longestDelay: number;
}

export interface RetryOptions {
  /** Told of each failure that is going to be tried again. */
  readonly onRetry?: (error: RespaldoError, delay: number) => void;
  readonly pause?: Pause;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/**
 * A store that tries again what may succeed the next time. All operations of a store may be repeated, a write whose
 * error came too late included: it puts the same bytes in the same place.
 */
export class RetryingStore implements Store {
  readonly location: string;
  readonly #inner: Store;
  readonly #patience: Patience;
  readonly #onRetry: (error: RespaldoError, delay: number) => void;
  readonly #pause: Pause;
  readonly #random: () => number;

  constructor(inner: Store, patience: Patience, options: RetryOptions = {}) {
    this.location = inner.location;
    this.#inner = inner;
    this.#patience = patience;
    this.#onRetry = options.onRetry ?? (() => undefined);
    this.#pause = options.pause ?? realPause;
    this.#random = options.random ?? Math.random;
  }

  create(signal: AbortSignal): Promise<void> {
    return this.#persist(signal, () => this.#inner.create(signal));
  }

  /** A list that breaks off is listed anew, without what was handed out already. */
  async *list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject> {
    const seen = new Set<string>();
    for (let attempt = 1; ; attempt++) {
      try {
        for await (const object of this.#inner.list(prefix, signal)) {
          if (seen.has(object.key)) continue;
          seen.add(object.key);
          yield object;
        }
        return;
      } catch (error) {
        await this.#waitOrThrow(error, attempt, signal);
      }
    }
  }

  stat(key: string, signal: AbortSignal): Promise<StoredObject> {
    return this.#persist(signal, () => this.#inner.stat(key, signal));
  }

  read(
    key: string,
    range: { readonly offset: number; readonly length: number } | undefined,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    return this.#persist(signal, () => this.#inner.read(key, range, signal));
  }

  localPath(key: string): string | undefined {
    return this.#inner.localPath?.(key);
  }

  write(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return this.#persist(signal, () => this.#inner.write(key, bytes, signal));
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return this.#persist(signal, () => this.#inner.remove(key, signal));
  }

  sweep(signal: AbortSignal): Promise<void> {
    return this.#persist(signal, async () => this.#inner.sweep?.(signal));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #persist<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        await this.#waitOrThrow(error, attempt, signal);
      }
    }
  }

  /** Half of each delay is random, so that many who failed together do not come back together. */
  async #waitOrThrow(error: unknown, attempt: number, signal: AbortSignal): Promise<void> {
    const { attempts, firstDelay, longestDelay } = this.#patience;
    if (!(error instanceof RespaldoError) || !error.retry || attempt >= attempts) throw error;
    throwIfAborted(signal);
    const delay = Math.min(longestDelay, firstDelay * 2 ** (attempt - 1)) * (0.5 + this.#random() / 2);
    this.#onRetry(error, delay);
    await this.#pause(delay, signal);
  }
}
