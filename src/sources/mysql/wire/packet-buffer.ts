/** Payloads of 16 MiB less one byte say that more follows in the next packet. */
const LONGEST = 0xff_ff_ff;
const HEADER = 4;
const FIRST = 256 * 1024;

/**
 * Bytes of a connection, read into the same place again and again, and handed on packet by packet. A packet must be whole
 * before it is handed on, so that the place grows with the largest row.
 */
export class PacketBuffer {
  #bytes = Buffer.allocUnsafeSlow(FIRST);
  #filled = 0;
  /** How much the packet at the beginning wants, as far as it is known. */
  #wanted = 0;

  /** Where the next bytes are to be put; never empty. */
  space(): Buffer {
    if (this.#bytes.length < this.#wanted || this.#filled === this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.#wanted, 2 * this.#bytes.length));
      this.#bytes.copy(grown, 0, 0, this.#filled);
      this.#bytes = grown;
    }
    return this.#bytes.subarray(this.#filled);
  }

  /**
   * So many bytes were put there.
   * @param take is given each payload that is whole now, valid until it returns, and the number of its last packet
   * @param takeMany is offered, before that, all that is there from a whole packet on, and answers where it went on no more
   */
  filled(
    length: number,
    take: (bytes: Buffer, from: number, to: number, sequence: number) => void,
    takeMany: (bytes: Buffer, from: number, to: number) => number = (_, from) => from,
  ): void {
    this.#filled += length;
    const bytes = this.#bytes;
    let at = 0;
    this.#wanted = 0;
    while (this.#filled - at >= HEADER) {
      const size = bytes.readUIntLE(at, 3);
      if (size === LONGEST) {
        const end = this.#joined(at);
        if (end < 0) break;
        take(bytes, at + HEADER, end, 0);
        at = this.#afterJoined;
        continue;
      }
      const end = at + HEADER + size;
      if (end > this.#filled) {
        this.#wanted = end - at;
        break;
      }
      const next = takeMany(bytes, at, this.#filled);
      if (next === at) take(bytes, at + HEADER, end, bytes[at + 3] ?? 0);
      at = next === at ? end : next;
    }
    bytes.copyWithin(0, at, this.#filled);
    this.#filled -= at;
  }

  #afterJoined = 0;

  /** Moves the parts of a payload together. @returns where it ends; -1: it is not whole yet */
  #joined(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    let isLast = false;
    while (!isLast) {
      if (this.#filled - at < HEADER) return -1;
      const size = bytes.readUIntLE(at, 3);
      isLast = size < LONGEST;
      at += HEADER + size;
      if (at > this.#filled) {
        this.#wanted = at - from;
        return -1;
      }
    }
    this.#afterJoined = at;
    let to = from + HEADER;
    for (let part = from; part < at;) {
      const size = bytes.readUIntLE(part, 3);
      bytes.copyWithin(to, part + HEADER, part + HEADER + size);
      to += size;
      part += HEADER + size;
    }
    return to;
  }
}
