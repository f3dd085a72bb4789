import { createHash } from 'node:crypto';
import type { Sum } from './archive.ts';

/** Counts and hashes what passes. */
export class Checksum {
  #bytes = 0;
  readonly #hash = createHash('sha256');
  #sum: Sum | undefined;

  async *of(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of content) {
      this.#bytes += piece.length;
      this.#hash.update(piece);
      yield piece;
    }
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Asked when all has passed. */
  end(): Sum {
    this.#sum ??= { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
    return this.#sum;
  }
}
