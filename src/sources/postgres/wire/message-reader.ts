import type { Duplex } from 'node:stream';
import { RespaldoError } from '../../../errors.ts';
import { refusal } from '../refusal.ts';
import { ByteReader, TruncatedStream } from '../../../domain/byte-reader.ts';
import { MESSAGE, parseServerMessage, type ServerMessage } from './message.ts';

/** Messages other than CopyData are small; anything longer is not PostgreSQL speaking. */
const LONGEST_BODY = 16 * 1024 * 1024;
/** Five warnings for each damaged file can be many; the first ones tell the story. */
const MOST_WARNINGS = 1000;

export interface MessageHead {
  readonly type: number;
  /** Of the body that follows, in bytes. */
  readonly length: number;
}

/**
 * Frames the server's messages on a socket that nobody else reads any more. Bytes are pulled when they are asked for,
 * so a slow consumer holds the server back, and nothing that is handed out is overwritten later.
 */
export class MessageReader {
  readonly #bytes: ByteReader;
  readonly #server: string;
  readonly #signal: AbortSignal;
  readonly warnings: ServerMessage[] = [];

  /**
   * @param server how messages name the server.
   * @param signal tells a connection that was cut by an abort from one that was lost.
   */
  constructor(socket: Duplex, server: string, signal: AbortSignal) {
    this.#bytes = new ByteReader(socket as AsyncIterable<Uint8Array>);
    this.#server = server;
    this.#signal = signal;
  }

  /**
   * The head of the next message; its body must be read next. Warnings and changed parameters are taken aside.
   * @throws RespaldoError what the server raised, `source-lost` if the connection ended, `cancelled`.
   */
  async head(): Promise<MessageHead> {
    for (;;) {
      const head = await this.#required(5);
      const type = head.readUInt8(0);
      const length = head.readUInt32BE(1) - 4;
      if (length < 0) throw this.broken('a message of negative length');
      if (type === MESSAGE.error) throw refusal(parseServerMessage(await this.body(length)), this.#server);
      if (type === MESSAGE.notice) this.#remember(parseServerMessage(await this.body(length)));
      else if (type === MESSAGE.parameterStatus) await this.body(length);
      else return { type, length };
    }
  }

  /** A whole body, or the first `length` bytes of one. */
  async body(length: number): Promise<Buffer> {
    if (length > LONGEST_BODY) throw this.broken(`a message of ${String(length)} bytes`);
    return length === 0 ? Buffer.alloc(0) : this.#required(length);
  }

  /** Some bytes of the current body, at least one and at most `most`. */
  async some(most: number): Promise<Buffer> {
    const piece = await this.#pull(() => this.#bytes.upTo(most));
    if (piece.length === 0) throw this.#lost();
    return piece;
  }

  /** The error for a server that does not keep to the protocol. */
  broken(what: string): RespaldoError {
    return new RespaldoError('source-lost', `${this.#server} broke the replication protocol: it sent ${what}`, {
      hint: 'Is something between here and the server (a proxy, a pooler)? Replication needs a direct connection.',
    });
  }

  unexpected(type: number): RespaldoError {
    return this.broken(`an unexpected message ${JSON.stringify(String.fromCharCode(type))}`);
  }

  async #required(length: number): Promise<Buffer> {
    const bytes = await this.#pull(() => this.#bytes.exactly(length));
    if (bytes === undefined) throw this.#lost();
    return bytes;
  }

  async #pull<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw this.#lost(error);
    }
  }

  #remember(warning: ServerMessage): void {
    if (this.warnings.length < MOST_WARNINGS) this.warnings.push(warning);
  }

  #lost(cause?: unknown): RespaldoError {
    if (this.#signal.aborted) return new RespaldoError('cancelled', 'the base backup was cancelled', { cause });
    const where = cause instanceof TruncatedStream ? ' in the middle of a message' : '';
    return new RespaldoError('source-lost', `the connection to ${this.#server} ended${where} during the base backup`, {
      hint: 'Nothing was stored as a snapshot. See the server log for the reason, then run the backup again.',
      cause,
    });
  }
}
