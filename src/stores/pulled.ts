import { untilAborted } from './until-aborted.ts';

/**
 * Content on its way into a store: pulled once, counted, and let go of when somebody gives up. What goes wrong in it is
 * the content's own error, not the store's.
 */
export class Pulled implements AsyncIterable<Uint8Array> {
  readonly #content: AsyncIterable<Uint8Array>;
  readonly #signal: AbortSignal;
  #size = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(content: AsyncIterable<Uint8Array>, signal: AbortSignal) {
    this.#content = content;
    this.#signal = signal;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Why writing failed: what the content threw, if it did; else `error`. */
  causeOf(error: unknown): unknown {
    return this.#failure === undefined ? error : this.#failure.error;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const pieces = this.#content[Symbol.asyncIterator]();
    let isWaiting = false;
    try {
      for (;;) {
        isWaiting = true;
        const next = await this.#own(untilAborted(pieces.next(), this.#signal));
        isWaiting = false;
        if (next.done === true) return;
        this.#size += next.value.length;
        yield next.value;
      }
    } finally {
      const released = Promise.resolve(pieces.return?.()).catch(() => undefined);
      // Content that gives no answer cannot be waited for.
      if (!isWaiting) await released;
    }
  }

  async #own<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (!this.#signal.aborted) this.#failure = { error };
      throw error;
    }
  }
}
