import { RespaldoError } from '../errors.ts';

/** How far one reader may be ahead of another: bytes that wait in memory for each. */
const AHEAD = 8 * 1024 * 1024;

/**
 * One content for several readers, pulled once. It is pulled as fast as the slowest of them reads, but for a few
 * megabytes; a reader that leaves holds up nobody any more. When all have left, whoever yields the content may clean up.
 */
export class SharedContent {
  readonly readers: readonly Reader[];
  readonly #source: AsyncIterator<Uint8Array>;
  #isPumping = false;
  #isOver = false;

  constructor(content: AsyncIterable<Uint8Array>, readers: number) {
    this.#source = content[Symbol.asyncIterator]();
    this.readers = Array.from({ length: readers }, () => new Reader(() => this.#pump()));
  }

  /** Pulls while every reader that is left has room; lets go of the source when there is none. */
  #pump(): void {
    if (this.#isPumping || this.#isOver || !this.#isWanted()) return;
    this.#isPumping = true;
    void this.#pull().finally(() => {
      this.#isPumping = false;
      // Somebody may have made room after the last look.
      this.#pump();
    });
  }

  #isWanted(): boolean {
    return this.#left().every((reader) => reader.hasRoom);
  }

  async #pull(): Promise<void> {
    try {
      while (this.#isWanted()) {
        if (this.#left().length === 0) {
          this.#isOver = true;
          await this.#source.return?.();
          return;
        }
        const next = await this.#source.next();
        if (next.done === true) {
          this.#end(undefined);
          return;
        }
        for (const reader of this.#left()) reader.give(next.value);
      }
    } catch (error) {
      this.#end({ error });
    }
  }

  #end(failure: Failure | undefined): void {
    this.#isOver = true;
    for (const reader of this.readers) reader.finish(failure);
  }

  #left(): readonly Reader[] {
    return this.readers.filter((reader) => !reader.hasLeft);
  }
}

interface Failure {
  readonly error: unknown;
}

/** One of those who read the same content. */
class Reader implements AsyncIterableIterator<Uint8Array> {
  readonly #onRoom: () => void;
  readonly #pieces: Uint8Array[] = [];
  #waiting = 0;
  #wake: (() => void) | undefined;
  #isFinished = false;
  #failure: Failure | undefined;
  hasLeft = false;

  constructor(onRoom: () => void) {
    this.#onRoom = onRoom;
  }

  get hasRoom(): boolean {
    return this.#waiting < AHEAD;
  }

  give(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#waiting += piece.length;
    this.#wake?.();
  }

  finish(failure: Failure | undefined): void {
    this.#isFinished = true;
    this.#failure = failure;
    this.#wake?.();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      if (this.hasLeft) return { done: true, value: undefined };
      if (this.#failure !== undefined) throw this.#failure.error;
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        this.#waiting -= piece.length;
        this.#onRoom();
        return { done: false, value: piece };
      }
      if (this.#isFinished) return { done: true, value: undefined };
      await this.#more();
    }
  }

  /** Leaves: somebody who waits for the next piece is told that there is none. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.hasLeft = true;
    this.#pieces.length = 0;
    this.#wake?.();
    this.#onRoom();
    return Promise.resolve({ done: true, value: undefined });
  }

  #more(): Promise<void> {
    if (this.#wake !== undefined) throw new RespaldoError('internal', 'one piece was asked for twice at a time');
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
      this.#onRoom();
    });
  }
}
