const NOTHING = Buffer.alloc(0);

/**
 * Reads a stream of pieces by length. Pulls a piece only when bytes are asked for, so that a slow reader holds the
 * writer back; hands out views, copying only what spans two pieces.
 */
export class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Buffer = NOTHING;
  #ended = false;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** Between 1 and `most` bytes, or none at the end of the stream. */
  async upTo(most: number): Promise<Buffer> {
    if (this.#rest.length === 0 && !(await this.#pull())) return NOTHING;
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  /** Exactly `length` bytes, or undefined if the stream ends before the first of them. */
  async exactly(length: number): Promise<Buffer | undefined> {
    const first = await this.upTo(length);
    if (first.length === length) return first;
    if (first.length === 0) return undefined;
    const whole = Buffer.allocUnsafe(length);
    first.copy(whole);
    for (let filled = first.length; filled < length;) {
      const next = await this.upTo(length - filled);
      if (next.length === 0) throw new TruncatedStream(filled, length);
      next.copy(whole, filled);
      filled += next.length;
    }
    return whole;
  }

  /** Nothing more is wanted: lets whoever sends know. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#pieces.return?.();
  }

  async #pull(): Promise<boolean> {
    while (!this.#ended) {
      const next = await this.#pieces.next();
      if (next.done === true) this.#ended = true;
      else if (next.value.length > 0) {
        const { buffer, byteOffset, byteLength } = next.value;
        this.#rest = Buffer.from(buffer, byteOffset, byteLength);
        return true;
      }
    }
    return false;
  }
}

/** The stream ended inside something that should have been longer. Whoever knows what it was says so. */
export class TruncatedStream extends Error {
  constructor(got: number, wanted: number) {
    super(`the stream ended after ${String(got)} of ${String(wanted)} bytes`);
    this.name = 'TruncatedStream';
  }
}
