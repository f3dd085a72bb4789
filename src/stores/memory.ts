import { RespaldoError, throwIfAborted } from '../errors.ts';
import { Pulled } from './pulled.ts';
import type { Store, StoredObject } from './store.ts';
import { assertKey } from './store.ts';

/** A store that lives as long as its process: for tests, and for trying things out. */
export class MemoryStore implements Store {
  readonly location = 'memory';
  readonly #objects = new Map<string, Uint8Array>();

  create(signal: AbortSignal): Promise<void> {
    return step(signal, () => undefined);
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject> {
    const listed = await step(signal, () => [...this.#objects].filter(([key]) => key.startsWith(prefix)));
    for (const [key, bytes] of listed) {
      throwIfAborted(signal);
      yield { key, size: bytes.length };
    }
  }

  stat(key: string, signal: AbortSignal): Promise<StoredObject> {
    return step(signal, () => ({ key, size: this.#get(key).length }));
  }

  read(
    key: string,
    range: { readonly offset: number; readonly length: number } | undefined,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    return step(signal, () => {
      const bytes = this.#get(key);
      if (range === undefined) return bytes.slice();
      if (range.offset + range.length > bytes.length) {
        throw new RespaldoError(
          'store-broken',
          `${key} in memory is shorter than expected: it has ${bytes.length} bytes, ` +
            `${range.length} were asked for from ${range.offset}`,
        );
      }
      return bytes.slice(range.offset, range.offset + range.length);
    });
  }

  write(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return step(signal, () => {
      assertKey(key);
      this.#objects.set(key, bytes.slice());
    });
  }

  writeNew(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<boolean> {
    return step(signal, () => {
      assertKey(key);
      if (this.#objects.has(key)) return false;
      this.#objects.set(key, bytes.slice());
      return true;
    });
  }

  async writeStream(key: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
    assertKey(key);
    throwIfAborted(signal);
    const bytes = new Uint8Array(Buffer.concat(await Array.fromAsync(new Pulled(content, signal))));
    await this.write(key, bytes, signal);
    return bytes.length;
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return step(signal, () => {
      assertKey(key);
      this.#objects.delete(key);
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #get(key: string): Uint8Array {
    assertKey(key);
    const bytes = this.#objects.get(key);
    if (bytes === undefined) throw new RespaldoError('store-missing', `there is no ${key} in memory`);
    return bytes;
  }
}

/** Runs `work` at once; what it throws becomes a rejection, as with every other store. */
function step<T>(signal: AbortSignal, work: () => T): Promise<T> {
  return new Promise((resolve) => {
    throwIfAborted(signal);
    resolve(work());
  });
}
