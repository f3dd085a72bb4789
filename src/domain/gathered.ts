import { release } from './release.ts';

/** Bytes that are handed out at a time where that many come. */
const BLOCK = 256 * 1024;
/** Blocks that wait for their reader before the stream is stopped. */
const AHEAD = 2;
/** How long bytes that do not fill a block wait for more, when their reader is there already. Milliseconds. */
const PATIENCE = 1;

/** What is used of a stream of Node's: a program's output. */
interface Output {
  readonly destroyed: boolean;
  on(event: 'data', listener: (piece: Uint8Array) => void): unknown;
  once(event: 'end' | 'error' | 'close', listener: () => void): unknown;
  off(event: 'data', listener: (piece: Uint8Array) => void): Output;
  off(event: 'end' | 'error' | 'close', listener: () => void): Output;
  pause(): unknown;
  resume(): unknown;
}

/**
 * A program's output in few large pieces, each of which is the reader's own: many programs write a few kilobytes at a time,
 * and whatever works on each piece would mostly be busy with their number.
 * @param isOurs whether nobody else looks at what the stream hands out
 * @returns whether the stream came to its end; it never throws
 */
export async function* gathered(stream: Output, isOurs: boolean): AsyncGenerator<Uint8Array, boolean> {
  const blocks = new Blocks(stream, isOurs);
  try {
    for (let piece = await blocks.next(); piece !== undefined; piece = await blocks.next()) yield piece;
    return blocks.isWhole;
  } finally {
    blocks.stop();
  }
}

class Blocks {
  readonly #stream: Output;
  readonly #isOurs: boolean;
  readonly #full: Uint8Array[] = [];
  #block = Buffer.alloc(0);
  #filled = 0;
  #isOver = false;
  #isWhole = false;
  /** What has come has waited for long enough. */
  #isDue = false;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: Output, isOurs: boolean) {
    this.#stream = stream;
    this.#isOurs = isOurs;
    stream.on('data', this.#take);
    stream.once('end', this.#end);
    stream.once('error', this.#over);
    stream.once('close', this.#over);
    if (stream.destroyed) this.#over();
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Undefined: there is no more. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const full = this.#full.shift();
      if (full !== undefined) {
        if (!this.#isOver) this.#stream.resume();
        return full;
      }
      if (this.#filled > 0 && (this.#isDue || this.#isOver)) return this.#rest();
      if (this.#isOver) return undefined;
      await this.#more();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stream.off('data', this.#take).off('end', this.#end).off('close', this.#over);
  }

  readonly #take = (piece: Uint8Array): void => {
    const { length } = piece;
    for (let at = 0; at < length;) {
      if (this.#block.length === 0) this.#block = Buffer.allocUnsafeSlow(BLOCK);
      const part = piece.subarray(at, at + BLOCK - this.#filled);
      this.#block.set(part, this.#filled);
      at += part.length;
      this.#filled += part.length;
      if (this.#filled === BLOCK) this.#close();
    }
    if (this.#isOurs) release(piece);
    if (this.#full.length >= AHEAD) this.#stream.pause();
    if (this.#full.length > 0) this.#wake?.();
    else if (this.#wake !== undefined) this.#expect();
  };

  #close(): void {
    this.#full.push(this.#block);
    this.#block = Buffer.alloc(0);
    this.#filled = 0;
  }

  /** A copy, so that the block can be filled further on. */
  #rest(): Uint8Array {
    const piece = Buffer.allocUnsafeSlow(this.#filled);
    piece.set(this.#block.subarray(0, this.#filled));
    this.#filled = 0;
    this.#isDue = false;
    return piece;
  }

  readonly #end = (): void => {
    this.#isWhole = true;
    this.#over();
  };

  readonly #over = (): void => {
    this.#isOver = true;
    this.#wake?.();
  };

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        clearTimeout(this.#timer);
        this.#timer = undefined;
        resolve();
      };
      if (this.#filled > 0) this.#expect();
    });
  }

  #expect(): void {
    this.#timer ??= setTimeout(() => {
      this.#isDue = true;
      this.#wake?.();
    }, PATIENCE);
  }
}
