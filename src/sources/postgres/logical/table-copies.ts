import { Channel } from './channel.ts';
import type { TableReader } from './table-reader.ts';

const MIB = 1024 * 1024;
/** What one read may gather before it has to wait for its turn. */
const AHEAD = 8 * MIB;
/** Reads that may be under way or waiting, for each session. */
const WINDOW = 2;

interface Read {
  readonly select: string;
  readonly channel: Channel;
  /** Once it has begun. */
  reader?: TableReader;
  /** Once it has ended. */
  rows: number;
}

function readOf(select: string): Read {
  const channel = new Channel(AHEAD, (piece) => {
    read.reader?.recycle(piece);
  });
  const read: Read = { select, channel, rows: 0 };
  return read;
}

/**
 * Reads tables through several sessions of one snapshot at a time, and hands the bytes out in order: while one range is
 * being stored, the next ones are read. What waits is bounded.
 */
export class TableCopies {
  readonly #reads: readonly Read[];
  readonly #sessions: readonly TableReader[];
  #begun = 0;
  #taken = 0;
  #wake: () => void = () => undefined;
  #waiting: Promise<void> | undefined;
  readonly #work: Promise<unknown>;
  #stopped = false;

  /** @param selects in the order in which they will be taken. */
  constructor(sessions: readonly TableReader[], selects: readonly string[]) {
    this.#sessions = sessions;
    this.#reads = selects.map(readOf);
    this.#work = Promise.all(sessions.map((session) => this.#readAll(session)));
  }

  /** The bytes of the next `count` selects, one after the other. @returns the number of rows */
  async *take(count: number): AsyncGenerator<Uint8Array, number> {
    let rows = 0;
    for (let i = 0; i < count; i++) {
      const read = this.#reads[this.#taken];
      if (read === undefined) break;
      yield* read.channel;
      rows += read.rows;
      this.#taken += 1;
      this.#wake();
    }
    return rows;
  }

  /** Lets nobody wait any more; never throws. The sessions are their owner's to end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { channel } of this.#reads) channel.end();
    this.#wake();
    for (const session of this.#sessions) await session.abandon();
    await this.#work;
  }

  async #readAll(session: TableReader): Promise<void> {
    let announced: Read | undefined;
    for (let read = await this.#next(); read !== undefined; read = announced ?? (await this.#next())) {
      announced = undefined;
      try {
        read.reader = session;
        const pieces = session.copy(read.select);
        let next = await pieces.next();
        for (; next.done !== true; next = await pieces.next()) {
          // Not before something has come: until then others have taken what follows this one.
          announced ??= this.#announceNext(session);
          await read.channel.push(next.value);
        }
        read.rows = next.value;
        read.channel.end();
      } catch (error) {
        read.channel.fail(error);
        announced?.channel.fail(error);
        // Nobody may wait for what this session would have read.
        for (const other of this.#reads.slice(this.#begun)) other.channel.fail(error);
        this.#begun = this.#reads.length;
        this.#wake();
        return;
      }
    }
  }

  /** Lets the server go on by itself when it is through with what the session is at. */
  #announceNext(session: TableReader): Read | undefined {
    const read = this.#nextNow();
    if (read !== undefined) session.announce(read.select);
    return read;
  }

  async #next(): Promise<Read | undefined> {
    while (!this.#stopped && this.#begun < this.#reads.length && !this.#mayBegin()) {
      this.#waiting ??= new Promise<void>((resolve) => {
        this.#wake = () => {
          this.#waiting = undefined;
          resolve();
        };
      });
      await this.#waiting;
    }
    return this.#nextNow();
  }

  /** Undefined: nothing is left, or it is not time for it yet. */
  #nextNow(): Read | undefined {
    return !this.#stopped && this.#mayBegin() ? this.#reads[this.#begun++] : undefined;
  }

  #mayBegin(): boolean {
    return this.#begun < Math.min(this.#reads.length, this.#taken + this.#sessions.length * WINDOW);
  }
}
