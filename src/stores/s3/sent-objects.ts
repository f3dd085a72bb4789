import type { SentObject } from './sums.ts';

/** An object is looked at soon after it was sent; a run of months must not remember all that it ever sent. */
const MOST = 256;

/** What was sent last, by key: the oldest is forgotten, and then told by nobody's sums but read back. */
export class SentObjects {
  readonly #byKey = new Map<string, SentObject>();

  get(key: string): SentObject | undefined {
    return this.#byKey.get(key);
  }

  keep(key: string, sent: SentObject): void {
    this.forget(key);
    this.#byKey.set(key, sent);
    const [oldest] = this.#byKey.keys();
    if (this.#byKey.size > MOST && oldest !== undefined) this.forget(oldest);
  }

  forget(key: string): void {
    this.#byKey.delete(key);
  }
}
