import type { Duplex } from 'node:stream';
import { RespaldoError, throwIfAborted, toRespaldoError } from '../../../errors.ts';
import type { PostgresConnection } from '../connection.ts';
import { CopyOut } from '../wire/copy-out.ts';
import type { CopyRows } from '../wire/copy-rows.ts';
import { DirectSocket } from '../wire/direct-socket.ts';
import { queryMessage } from '../wire/message.ts';
import type { TableReader } from './table-reader.ts';

/** What is read at a time may fill one, and begin another. */
const PIECES_TO_READ = 2;

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
  readonly #copied: CopyRows;
  readonly #copies: CopyOut;
  /** In the order in which the server answers. */
  readonly #asked: Answer[] = [];
  #failure: RespaldoError | undefined;
  #wake: () => void = () => undefined;

  /**
   * @param connection idle, in a transaction that sees the snapshot.
   * @param copied what its socket reads into, if that is a direct one.
   * @param isOneOfSeveral whether others read meanwhile: then none of them has to be quick.
   */
  constructor(connection: PostgresConnection, copied: CopyRows, isOneOfSeveral: boolean, signal: AbortSignal) {
    this.#connection = connection;
    this.#signal = signal;
    this.#copied = copied;
    this.#copies = new CopyOut(connection.server, copied);
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
    this.#readOn();
    for (;;) {
      throwIfAborted(this.#signal);
      const piece = answer.pieces.shift();
      if (piece !== undefined) yield piece;
      else if (answer.rows !== undefined) {
        this.#asked.shift();
        return answer.rows;
      } else if (this.#failure !== undefined) throw this.#failure;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  recycle(piece: Uint8Array): void {
    this.#copied.release(piece);
    this.#readOn();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  abandon(): Promise<void> {
    this.#socket.destroy();
    return this.#connection.close();
  }

  /** @returns whether there is room for more. */
  #take(bytes: Uint8Array): boolean {
    try {
      for (const taken of this.#copies.take(bytes))
        if (typeof taken === 'number') this.#end(taken);
        else this.#coming()?.pieces.push(taken);
      this.#wake();
    } catch (error) {
      this.#fail(error);
    }
    return this.#hasRoom();
  }

  #end(rows: number): void {
    const answer = this.#coming();
    if (answer !== undefined) answer.rows = rows;
  }

  #readOn(): void {
    if (this.#hasRoom()) this.#socket.resume();
  }

  #hasRoom(): boolean {
    return this.#copied.free >= PIECES_TO_READ;
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
