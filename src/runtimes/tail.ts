/** The last bytes of a stream that nobody wants to keep whole. */
export class Tail {
  readonly #limit: number;
  #bytes = Buffer.alloc(0);
  #cut = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(piece: Uint8Array): void {
    const all = Buffer.concat([this.#bytes, piece]);
    if (all.length > this.#limit) this.#cut = true;
    // A copy: a view would keep the large buffer behind it alive.
    this.#bytes = Buffer.from(all.subarray(-this.#limit));
  }

  /** Trimmed; starts with `…` where something was cut off. */
  toString(): string {
    return (this.#cut ? '…' : '') + this.#bytes.toString('utf8').trim();
  }
}
