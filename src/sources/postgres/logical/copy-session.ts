import type { Duplex } from 'node:stream';
import { RespaldoError, throwIfAborted, toRespaldoError } from '../../../errors.ts';
import type { PostgresConnection } from '../connection.ts';
import { CopyOut } from '../wire/copy-out.ts';
import { DirectSocket } from '../wire/direct-socket.ts';
import { queryMessage } from '../wire/message.ts';
import type { TableReader } from './table-reader.ts';

const MIB = 1024 * 1024;
/** What is handed on at a time. */
const PIECE = MIB;
/** What may have been read and not been taken yet. */
const AHEAD = 2 * MIB;

/** What was asked for, and what has come of it. */
interface Answer {
  readonly select: string;
  readonly pieces: Uint8Array[];
  /** How many there were, once all have come. */
  rows?: number;
}

/**
 * Reads tables over a connection of our own: no other program stands between the server and us. It goes on with the next
 * copy by itself, where that was announced.
 */
export class CopySession implements TableReader {
  readonly #connection: PostgresConnection;
  readonly #signal: AbortSignal;
  readonly #socket: Duplex;
  readonly #copies: CopyOut;
  /** In the order in which the server answers. */
  readonly #asked: Answer[] = [];
  readonly #spare: Uint8Array[] = [];
  #piece = emptyPiece();
  #filled = 0;
  #failure: RespaldoError | undefined;
  #wake: () => void = () => undefined;

  /**
   * @param connection idle, in a transaction that sees the snapshot.
   * @param isOneOfSeveral whether others read meanwhile: then none of them has to be quick.
   */
  constructor(connection: PostgresConnection, isOneOfSeveral: boolean, signal: AbortSignal) {
    this.#connection = connection;
    this.#signal = signal;
    this.#copies = new CopyOut(connection.server);
    this.#socket = connection.takeOver();
    this.#socket.once('close', () => {
      this.#fail(this.#lost());
    });
    this.#socket.on('error', () => undefined);
    if (this.#socket instanceof DirectSocket) this.#socket.takeDirectly((bytes) => this.#take(bytes), isOneOfSeveral);
    else
      this.#socket.on('data', (bytes: Uint8Array) => {
        if (!this.#take(bytes)) this.#socket.pause();
      });
  }

  announce(select: string): void {
    this.#asked.push({ select, pieces: [] });
    this.#socket.write(queryMessage(`COPY (${select}) TO STDOUT`));
  }

  async *copy(select: string): AsyncGenerator<Uint8Array, number> {
    if (this.#asked.length === 0) this.announce(select);
    const [answer] = this.#asked;
    if (answer?.select !== select) throw new TypeError('something else was announced');
    this.#socket.resume();
    for (;;) {
      throwIfAborted(this.#signal);
      const piece = answer.pieces.shift();
      if (piece !== undefined) {
        this.#socket.resume();
        yield piece;
      } else if (answer.rows !== undefined) {
        this.#asked.shift();
        return answer.rows;
      } else if (this.#failure !== undefined) throw this.#failure;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  recycle({ buffer }: Uint8Array): void {
    if (buffer.byteLength === PIECE) this.#spare.push(new Uint8Array(buffer));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  abandon(): Promise<void> {
    this.#socket.destroy();
    return this.#connection.close();
  }

  /** @returns whether more may come. */
  #take(bytes: Uint8Array): boolean {
    try {
      for (const rows of this.#copies.take(bytes))
        if (typeof rows === 'number') this.#end(rows);
        else this.#keep(rows);
    } catch (error) {
      this.#fail(error);
    }
    return this.#asked.reduce((sum, { pieces }) => sum + pieces.length, 0) * PIECE < AHEAD;
  }

  #keep(rows: Uint8Array): void {
    for (let at = 0; at < rows.length;) {
      const part = rows.subarray(at, at + PIECE - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === PIECE) this.#handOn();
    }
  }

  #end(rows: number): void {
    if (this.#filled > 0) this.#handOn();
    const answer = this.#coming();
    if (answer !== undefined) answer.rows = rows;
    this.#wake();
  }

  #handOn(): void {
    this.#coming()?.pieces.push(this.#piece.subarray(0, this.#filled));
    this.#piece = this.#spare.pop() ?? emptyPiece();
    this.#filled = 0;
    this.#wake();
  }

  /** The one that the server is answering. */
  #coming(): Answer | undefined {
    return this.#asked.find(({ rows }) => rows === undefined);
  }

  #fail(error: unknown): void {
    this.#failure ??= toRespaldoError(error);
    this.#wake();
  }

  #lost(): RespaldoError {
    return new RespaldoError('source-lost', `the connection to ${this.#connection.server} ended during the dump`, {
      hint: 'Nothing was stored as a snapshot. See the server’s log for the reason, then try again.',
    });
  }
}

function emptyPiece(): Uint8Array {
  return Buffer.allocUnsafeSlow(PIECE);
}
