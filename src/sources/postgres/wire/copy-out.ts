import { RespaldoError } from '../../../errors.ts';
import { refusal } from '../refusal.ts';
import { MESSAGE, parseServerMessage } from './message.ts';

const HEAD = 5;
/** A message that is no row is small. */
const LONGEST = 1024 * 1024;

/**
 * Takes the rows of one `COPY … TO STDOUT` out of the server's messages, which come cut anywhere. A row is a message,
 * and there are millions: they are moved together within the bytes that were read, and nothing is made for each.
 */
export class CopyOut {
  readonly #server: string;
  readonly #head = Buffer.alloc(HEAD);
  #headLength = 0;
  #type = 0;
  /** Of the body, how much has not come yet. */
  #left = 0;
  #body: Buffer[] = [];
  #rows: number | undefined;
  #isReady = false;

  /** @param server how messages name it. */
  constructor(server: string) {
    this.#server = server;
  }

  /** The server has said that all is done, and waits for the next question. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** As the server counted them. @throws RespaldoError if it has not said it */
  get rows(): number {
    if (this.#rows === undefined) throw this.#broken('no end of the copy');
    return this.#rows;
  }

  /**
   * Moves the rows among the bytes to their beginning, over what stands between them.
   * @returns how many bytes of rows there are now.
   * @throws RespaldoError what the server raised.
   */
  take(bytes: Uint8Array): number {
    let kept = 0;
    for (let at = 0; at < bytes.length;) {
      if (this.#left === 0) at = this.#readHead(bytes, at);
      const end = Math.min(at + this.#left, bytes.length);
      if (this.#type === MESSAGE.copyData) {
        bytes.copyWithin(kept, at, end);
        kept += end - at;
      } else if (end > at) this.#body.push(Buffer.from(bytes.subarray(at, end)));
      this.#left -= end - at;
      at = end;
      if (this.#left === 0 && this.#headLength === 0 && this.#type !== MESSAGE.copyData) this.#hear();
    }
    return kept;
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
    const type = this.#type;
    const body = Buffer.concat(this.#body);
    this.#type = 0;
    this.#body = [];
    switch (type) {
      case 0: // nothing has begun
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
        this.#isReady = true;
        return;
      case MESSAGE.error:
        throw refusal(parseServerMessage(body), this.#server);
      default:
        throw this.#broken(`an unexpected message ${JSON.stringify(String.fromCharCode(type))}`);
    }
  }

  #broken(what: string): RespaldoError {
    return new RespaldoError('source-lost', `${this.#server} broke the protocol: it sent ${what}`, {
      hint: 'Is something between here and the server (a proxy, a pooler)?',
    });
  }
}
