/** Bytes that come in pieces of any size, and are taken in other ones. */
export class ByteQueue {
  #pieces: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(piece: Uint8Array): void {
    this.#pieces.push(Buffer.from(piece));
    this.#length += piece.length;
  }

  /** The next ones, which stay. Undefined: there are not so many yet. */
  peek(length: number): Buffer | undefined {
    if (this.#length < length) return undefined;
    const [first] = this.#pieces;
    if (first === undefined || first.length < length) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]?.subarray(0, length);
  }

  /** The next ones, which are gone afterwards. Undefined: there are not so many yet. */
  take(length: number): Buffer | undefined {
    const taken = this.peek(length);
    if (taken === undefined) return undefined;
    const [first, ...others] = this.#pieces;
    const rest = first?.subarray(length);
    this.#pieces = rest === undefined || rest.length === 0 ? others : [rest, ...others];
    this.#length -= length;
    return taken;
  }
}
