import { type Patience, persist, type RetryOptions, waitOrThrow } from './patience.ts';
import type { Store, StoredObject } from './store.ts';

/**
 * A store that tries again what may succeed the next time. All operations of a store may be repeated, a write whose
 * error came too late included: it puts the same bytes in the same place. Only a stream passes as it is: what was
 * pulled cannot be pulled again.
 */
export class RetryingStore implements Store {
  readonly location: string;
  readonly compares?: true;
  readonly writesAtOnce?: true;
  readonly #inner: Store;
  readonly #patience: Patience;
  readonly #options: RetryOptions;
  readonly writeStream?: NonNullable<Store['writeStream']>;
  readonly compareSums?: NonNullable<Store['compareSums']>;
  readonly writeNew?: NonNullable<Store['writeNew']>;

  constructor(inner: Store, patience: Patience, options: RetryOptions = {}) {
    this.location = inner.location;
    if (inner.compares === true) this.compares = true;
    if (inner.writesAtOnce === true) this.writesAtOnce = true;
    this.#inner = inner;
    this.#patience = patience;
    this.#options = options;
    if (inner.writeStream !== undefined) this.writeStream = inner.writeStream.bind(inner);
    const compareSums = inner.compareSums?.bind(inner);
    if (compareSums !== undefined)
      this.compareSums = (key, signal) => this.#persist(signal, () => compareSums(key, signal));
    const writeNew = inner.writeNew?.bind(inner);
    if (writeNew !== undefined)
      this.writeNew = (key, bytes, signal) => this.#persist(signal, () => writeNew(key, bytes, signal));
  }

  create(signal: AbortSignal): Promise<void> {
    return this.#persist(signal, () => this.#inner.create(signal));
  }

  makePlace(signal: AbortSignal): Promise<void> {
    return this.#persist(signal, () => (this.#inner.makePlace ?? this.#inner.create).call(this.#inner, signal));
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
        await waitOrThrow(error, attempt, this.#patience, this.#options, signal);
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

  sweep(signal: AbortSignal, isOurs?: (key: string) => boolean): Promise<void> {
    return this.#persist(signal, async () => this.#inner.sweep?.(signal, isOurs));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #persist<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return persist(work, this.#patience, this.#options, signal);
  }
}
