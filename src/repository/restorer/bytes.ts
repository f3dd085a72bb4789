/** Numbers and bytes one behind the other in a buffer: what structured cloning would take many times longer for. */
export class ByteWriter {
  #buffer = Buffer.from(new ArrayBuffer(64 * 1024));
  #length = 0;

  uint(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32LE(value, this.#length);
  }

  /** An integer beyond 32 bits, exact up to 2^53. */
  long(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  bigint(value: bigint): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeBigInt64LE(value, this.#length);
  }

  /** 32 bytes given as 64 hexadecimal digits. */
  id(hex: string): void {
    this.#reserve(32);
    this.#length += this.#buffer.write(hex, this.#length, 'hex');
  }

  /** In UTF-8; lone surrogates are not kept. */
  text(text: string): void {
    this.#reserve(4 + 3 * text.length);
    const length = this.#buffer.write(text, this.#length + 4);
    this.#buffer.writeUInt32LE(length, this.#length);
    this.#length += 4 + length;
  }

  bytes(bytes: Uint8Array): void {
    this.uint(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Everything written, in a buffer of its own that can be transferred. */
  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer.buffer.slice(0, this.#length));
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    this.#buffer = Buffer.from(this.#buffer.buffer.transfer(2 * this.#buffer.length + more));
  }
}

/** Reads what a {@link ByteWriter} wrote, in the same order. */
export class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  uint(): number {
    this.#at += 4;
    return this.#buffer.readUInt32LE(this.#at - 4);
  }

  long(): number {
    this.#at += 8;
    return this.#buffer.readDoubleLE(this.#at - 8);
  }

  bigint(): bigint {
    this.#at += 8;
    return this.#buffer.readBigInt64LE(this.#at - 8);
  }

  id(): string {
    this.#at += 32;
    return this.#buffer.toString('hex', this.#at - 32, this.#at);
  }

  text(): string {
    const length = this.uint();
    this.#at += length;
    return this.#buffer.toString('utf8', this.#at - length, this.#at);
  }

  /** A view of the buffer. */
  bytes(): Buffer {
    const length = this.uint();
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }
}
