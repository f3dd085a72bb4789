import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { Gate } from './gate.ts';
import type { Pause } from './pause.ts';
import { pause as realPause } from './pause.ts';
import { Rate } from './rate.ts';
import type { Store, StoredObject } from './store.ts';

export interface StoreLimits {
  /** How many operations may run at once. */
  readonly operations?: number;
  /** Bytes per second, on average. */
  readonly uploadRate?: number;
  /** Bytes per second, on average. */
  readonly downloadRate?: number;
}

/** A store that takes no more of the machine or the line than it may. Fair: first come, first served. */
export class LimitedStore implements Store {
  readonly location: string;
  readonly compares?: true;
  readonly #inner: Store;
  readonly #gate: Gate;
  readonly #upload: Rate | undefined;
  readonly #download: Rate | undefined;

  readonly writeStream?: NonNullable<Store['writeStream']>;
  readonly compareSums?: NonNullable<Store['compareSums']>;
  readonly writeNew?: NonNullable<Store['writeNew']>;

  constructor(inner: Store, limits: StoreLimits, clock: Clock = systemClock, pause: Pause = realPause) {
    const rate = (bytes: number | undefined) => (bytes === undefined ? undefined : new Rate(bytes, clock, pause));
    this.location = inner.location;
    if (inner.compares === true) this.compares = true;
    this.#inner = inner;
    this.#gate = new Gate(limits.operations ?? Infinity);
    this.#upload = rate(limits.uploadRate);
    this.#download = rate(limits.downloadRate);
    const writeStream = inner.writeStream?.bind(inner);
    if (writeStream !== undefined)
      this.writeStream = (key, content, signal) =>
        this.#gate.pass(signal, () => writeStream(key, this.#rationed(content, signal), signal));
    const compareSums = inner.compareSums?.bind(inner);
    if (compareSums !== undefined)
      this.compareSums = (key, signal) => this.#gate.pass(signal, () => compareSums(key, signal));
    const writeNew = inner.writeNew?.bind(inner);
    if (writeNew !== undefined)
      this.writeNew = async (key, bytes, signal) => {
        await this.#upload?.spend(bytes.length, signal);
        return this.#gate.pass(signal, () => writeNew(key, bytes, signal));
      };
  }

  create(signal: AbortSignal): Promise<void> {
    return this.#gate.pass(signal, () => this.#inner.create(signal));
  }

  makePlace(signal: AbortSignal): Promise<void> {
    return this.#gate.pass(signal, () => (this.#inner.makePlace ?? this.#inner.create).call(this.#inner, signal));
  }

  /** Takes a place for each step, not for the whole list: the caller may well use the store between two objects. */
  async *list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject> {
    const objects = this.#inner.list(prefix, signal)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#gate.pass(signal, () => objects.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await objects.return?.();
    }
  }

  stat(key: string, signal: AbortSignal): Promise<StoredObject> {
    return this.#gate.pass(signal, () => this.#inner.stat(key, signal));
  }

  async read(
    key: string,
    range: { readonly offset: number; readonly length: number } | undefined,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    await this.#download?.spend(range?.length ?? 0, signal);
    const bytes = await this.#gate.pass(signal, () => this.#inner.read(key, range, signal));
    if (range === undefined) this.#download?.charge(bytes.length);
    return bytes;
  }

  /** Hidden where reading is rationed: who reads the file by himself cannot be held back. */
  localPath(key: string): string | undefined {
    return this.#download === undefined ? this.#inner.localPath?.(key) : undefined;
  }

  async write(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#upload?.spend(bytes.length, signal);
    await this.#gate.pass(signal, () => this.#inner.write(key, bytes, signal));
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return this.#gate.pass(signal, () => this.#inner.remove(key, signal));
  }

  sweep(signal: AbortSignal, isOurs?: (key: string) => boolean): Promise<void> {
    return this.#gate.pass(signal, async () => this.#inner.sweep?.(signal, isOurs));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async *#rationed(content: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
    for await (const piece of content) {
      await this.#upload?.spend(piece.length, signal);
      yield piece;
    }
  }
}
