/** A set of blobs: one bit for each row of a {@link BlobIndex}. */
export class BlobBits {
  readonly #words: Uint32Array;

  constructor(rows: number) {
    this.#words = new Uint32Array(Math.ceil(rows / 32));
  }

  has(row: number): boolean {
    return ((this.#words[row >>> 5] ?? 0) & (1 << (row & 31))) !== 0;
  }

  /** @returns whether it was not there before */
  add(row: number): boolean {
    if (this.has(row)) return false;
    this.#words[row >>> 5] = (this.#words[row >>> 5] ?? 0) | (1 << (row & 31));
    return true;
  }
}
