/**
 * The WebAssembly that takes rows out of messages, many at once, where moving each by a call takes longer than all else
 * that is done with it. Its source is `assembly/copy-rows.ts`; `copy-rows.wasm` is built from it by
 * `node scripts/kernel.ts build` and kept in the repository.
 */
import { instantiate, PAGE } from '../../../web-assembly.ts';

interface Exports {
  readonly INPUT: { readonly value: number };
  readonly CAPACITY: { readonly value: number };
  readonly OUTPUT: { readonly value: number };
  strip(from: number, end: number, rest: number, to: number, limit: number): number;
  leftOfRow(): number;
  outputEnd(): number;
}

/** What is handed on at a time. */
export const PIECE_BYTES = 1024 * 1024;
/** That there are: so much may have been read and not been taken yet. What is not written to costs nothing. */
const PIECES = 16;
/** Whole vectors are stored, up to one beyond the end. */
const STRIDE = PIECE_BYTES + 64;
/** Input and what the kernel has of its own: see the source. */
const BEFORE_PIECES = 5 * PAGE;

interface Stripped {
  /** Where in the input it ended. */
  readonly at: number;
  /** How much of the last row is missing there. */
  readonly left: number;
  /** Bytes of rows that the piece has by now. */
  readonly filled: number;
}

/** Where the messages of one connection lie while rows are taken out of them, and the pieces that the rows go into. */
export class CopyRows {
  readonly #run: Exports;
  readonly #memory: ArrayBuffer;
  readonly #free = Array.from({ length: PIECES }, (_, piece) => piece);
  /** Messages are put here. It never moves: a socket may read into it. */
  readonly input: Uint8Array;

  constructor() {
    const pages = Math.ceil((BEFORE_PIECES + PIECES * STRIDE) / PAGE);
    const { exports, memory } = instantiate(new URL('./copy-rows.wasm', import.meta.url), pages);
    this.#run = exports as Exports;
    this.#memory = memory;
    this.input = new Uint8Array(memory, this.#run.INPUT.value, this.#run.CAPACITY.value);
  }

  /** Pieces that nobody has. */
  get free(): number {
    return this.#free.length;
  }

  /** The number of a piece that nobody has, now the caller's. */
  claim(): number {
    const piece = this.#free.pop();
    if (piece === undefined) throw new TypeError('more was read than there is room for');
    return piece;
  }

  /**
   * Takes rows until the piece is full, or a message begins that is no row, or whose head is not whole.
   * @param from where in the input to begin
   * @param end of the input
   * @param left bytes that are missing of a row which began before
   * @param piece its number
   * @param filled bytes of rows that it has already
   */
  strip(from: number, end: number, left: number, piece: number, filled: number): Stripped {
    const start = piece * STRIDE;
    const at = this.#run.strip(from, end, left, start + filled, start + PIECE_BYTES);
    return { at, left: this.#run.leftOfRow() >>> 0, filled: this.#run.outputEnd() - start };
  }

  /** The first bytes of a piece. */
  bytesOf(piece: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory, this.#run.OUTPUT.value + piece * STRIDE, length);
  }

  /** Nobody looks at these bytes any more: their piece is free. */
  release(bytes: Uint8Array): void {
    this.#free.push((bytes.byteOffset - this.#run.OUTPUT.value) / STRIDE);
  }
}
