import { RespaldoError } from '../../../errors.ts';
import { refusal } from '../refusal.ts';
import { type CopyRows, PIECE_BYTES } from './copy-rows.ts';
import { MESSAGE, parseServerMessage } from './message.ts';

const HEAD = 5;
/** A message that is no row is small. */
const LONGEST = 1024 * 1024;

/**
 * Takes the rows of one `COPY … TO STDOUT` after another out of the server's messages, which come cut anywhere. A row is a
 * message, and there are millions: nothing is done for each but moving it, and that not by us.
 */
export class CopyOut {
  readonly #server: string;
  readonly #copied: CopyRows;
  /** The number of the one that is being filled. */
  #piece: number | undefined;
  #filled = 0;
  readonly #head = Buffer.alloc(HEAD);
  #headLength = 0;
  #type = 0;
  /** Of the body, how much has not come yet. */
  #left = 0;
  #body: Buffer[] = [];
  /** Of the copy that comes: as the server has counted them. */
  #rows: number | undefined;
  /** The same of one that has just ended. */
  #ended: number | undefined;

  /**
   * @param server how messages name it.
   * @param copied where rows go, which nobody else puts into.
   */
  constructor(server: string, copied: CopyRows) {
    this.#server = server;
    this.#copied = copied;
  }

  /**
   * Takes the rows out of the next bytes: of no more than the input holds, while two pieces are free.
   * @returns them, one behind the other, in pieces that the caller has to release; and where a copy has ended, and the
   * server is through with it, how many rows it had
   * @throws RespaldoError what the server raised.
   */
  *take(bytes: Uint8Array): Generator<Uint8Array | number> {
    const { input } = this.#copied;
    for (let from = 0; from < bytes.length; from += input.length) {
      const part = bytes.subarray(from, from + input.length);
      if (part.buffer !== input.buffer) input.set(part);
      for (let at = 0; at < part.length;) {
        at = this.#takeInput(at, part.length);
        if (this.#filled === PIECE_BYTES || (this.#ended !== undefined && this.#filled > 0)) yield this.#handOn();
        if (this.#ended === undefined) continue;
        yield this.#ended;
        this.#ended = undefined;
      }
    }
  }

  /** @returns where in the input a piece is full, a copy has ended, or it ends itself. */
  #takeInput(from: number, length: number): number {
    const { input } = this.#copied;
    let at = from;
    while (at < length && this.#ended === undefined && this.#filled < PIECE_BYTES) {
      if (this.#headLength === 0 && (this.#left === 0 || this.#type === MESSAGE.copyData)) {
        this.#type = MESSAGE.copyData;
        this.#piece ??= this.#copied.claim();
        const taken = this.#copied.strip(at, length, this.#left, this.#piece, this.#filled);
        ({ at, left: this.#left, filled: this.#filled } = taken);
      }
      if (at < length) at = this.#readOther(input.subarray(0, length), at);
    }
    return at;
  }

  #handOn(): Uint8Array {
    const bytes = this.#copied.bytesOf(this.#piece ?? 0, this.#filled);
    this.#piece = undefined;
    this.#filled = 0;
    return bytes;
  }

  /** A head, or what is there of it, and what is there of the body behind it, unless that is a row. */
  #readOther(bytes: Uint8Array, from: number): number {
    let at = from;
    if (this.#left === 0) at = this.#readHead(bytes, at);
    if (this.#headLength > 0 || this.#type === MESSAGE.copyData) return at;
    const end = Math.min(at + this.#left, bytes.length);
    if (end > at) this.#body.push(Buffer.from(bytes.subarray(at, end)));
    this.#left -= end - at;
    if (this.#left === 0) this.#hear();
    return end;
  }

  /** @returns where the body begins; while the head is not whole, there is none. */
  #readHead(bytes: Uint8Array, from: number): number {
    let at = from;
    if (this.#headLength === 0 && bytes.length - at >= HEAD) {
      this.#begin(bytes, at);
      return at + HEAD;
    }
    while (this.#headLength < HEAD && at < bytes.length) this.#head[this.#headLength++] = bytes[at++] ?? 0;
    if (this.#headLength < HEAD) return at;
    this.#headLength = 0;
    this.#begin(this.#head, 0);
    return at;
  }

  #begin(bytes: Uint8Array, at: number): void {
    this.#type = bytes[at] ?? 0;
    const [a = 0, b = 0, c = 0, d = 0] = [bytes[at + 1], bytes[at + 2], bytes[at + 3], bytes[at + 4]];
    this.#left = a * 0x1000000 + ((b << 16) | (c << 8) | d) - 4;
    if (this.#left < 0 || (this.#type !== MESSAGE.copyData && this.#left > LONGEST))
      throw this.#broken(`a message of ${String(this.#left)} bytes`);
  }

  /** A whole message that is no row. */
  #hear(): void {
    const body = Buffer.concat(this.#body);
    this.#body = [];
    switch (this.#type) {
      case MESSAGE.copyOutResponse:
      case MESSAGE.copyDone:
      case MESSAGE.notice:
      case MESSAGE.parameterStatus:
        return;
      case MESSAGE.commandComplete:
        this.#rows = Number(/^COPY (\d+)\0$/.exec(body.toString('latin1'))?.[1]);
        if (Number.isNaN(this.#rows)) throw this.#broken(JSON.stringify(body.toString('latin1')));
        return;
      case MESSAGE.readyForQuery:
        if (this.#rows === undefined) throw this.#broken('no end of the copy');
        this.#ended = this.#rows;
        this.#rows = undefined;
        return;
      case MESSAGE.error:
        throw refusal(parseServerMessage(body), this.#server);
      default:
        throw this.#broken(`an unexpected message ${JSON.stringify(String.fromCharCode(this.#type))}`);
    }
  }

  #broken(what: string): RespaldoError {
    return new RespaldoError('source-lost', `${this.#server} broke the protocol: it sent ${what}`, {
      hint: 'Is something between here and the server (a proxy, a pooler)?',
    });
  }
}
