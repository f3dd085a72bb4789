import { Socket } from 'node:net';

const READ_BYTES = 256 * 1024;

/**
 * A socket that always reads into the same bytes, once somebody takes them directly: a buffer for each of thousands of
 * reads would keep the collector busy. Until then it emits `data` as every socket does.
 */
export class DirectSocket extends Socket {
  /** Told of what has come, valid until it returns; false: reading stops until `resume()`. */
  #take: ((bytes: Uint8Array) => boolean) | undefined;

  constructor() {
    super({
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (length: number, buffer: Uint8Array): boolean => this.#read(buffer.subarray(0, length)),
      },
    });
  }

  takeDirectly(take: (bytes: Uint8Array) => boolean): void {
    this.#take = take;
  }

  #read(bytes: Uint8Array): boolean {
    if (this.#take !== undefined) return this.#take(bytes);
    this.emit('data', Buffer.from(bytes));
    return true;
  }
}
