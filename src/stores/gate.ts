import { abortError, throwIfAborted } from '../errors.ts';

/** Lets so many in at once; the others wait in the order in which they came. */
export class Gate {
  #free: number;
  /** A set keeps the order of arrival, and gives up a place in the middle at no cost. */
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#free = places;
  }

  async pass<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #enter(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      throwIfAborted(signal);
      if (this.#free > 0) {
        this.#free--;
        resolve();
        return;
      }
      const go = () => {
        signal.removeEventListener('abort', quit);
        resolve();
      };
      const quit = () => {
        this.#waiting.delete(go);
        reject(abortError(signal));
      };
      this.#waiting.add(go);
      signal.addEventListener('abort', quit, { once: true });
    });
  }

  /** Hands the place to whoever waits longest. */
  #leave(): void {
    for (const go of this.#waiting) {
      this.#waiting.delete(go);
      go();
      return;
    }
    this.#free++;
  }
}
