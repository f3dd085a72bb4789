/**
 * The WebAssembly that takes rows out of messages, many at once, where moving each by a call takes longer than all else
 * that is done with it. Its source is `assembly/copy-rows.ts`; `copy-rows.wasm` is built from it by
 * `node scripts/kernel.ts build` and kept in the repository.
 */
import { instantiate } from '../../../web-assembly.ts';

interface Exports {
  readonly INPUT: { readonly value: number };
  readonly CAPACITY: { readonly value: number };
  readonly OUTPUT: { readonly value: number };
  strip(from: number, end: number, rest: number, filled: number): number;
  leftOfRow(): number;
  outputLength(): number;
}

/** A page with what is its own, then input and output: see the source. */
const PAGES = 9;

interface Stripped {
  /** Where in the input it ended. */
  readonly at: number;
  /** How much of the last row is missing there. */
  readonly left: number;
  /** Bytes of rows that were taken by now. */
  readonly filled: number;
}

/** Where one stretch of messages at a time lies while its rows are taken out. */
export class CopyRows {
  readonly #run: Exports;
  readonly #output: Uint8Array;
  /** Messages are put here. It never moves: a socket may read into it. */
  readonly input: Uint8Array;

  private constructor(run: Exports, memory: ArrayBuffer) {
    const { INPUT, CAPACITY, OUTPUT } = run;
    this.#run = run;
    this.input = new Uint8Array(memory, INPUT.value, CAPACITY.value);
    this.#output = new Uint8Array(memory, OUTPUT.value, CAPACITY.value);
  }

  static #only: CopyRows | undefined;

  /** This thread's: whoever puts something in takes what comes of it before anybody else can. */
  static get(): CopyRows {
    return (CopyRows.#only ??= CopyRows.#load());
  }

  static #load(): CopyRows {
    const { exports, memory } = instantiate(new URL('./copy-rows.wasm', import.meta.url), PAGES);
    return new CopyRows(exports as Exports, memory);
  }

  /**
   * Takes rows until a message begins that is no row, or whose head is not whole.
   * @param from where in the input to begin
   * @param end of the input
   * @param left bytes that are missing of a row which began before
   * @param filled bytes of rows that were taken already
   */
  strip(from: number, end: number, left: number, filled: number): Stripped {
    const at = this.#run.strip(from, end, left, filled);
    return { at, left: this.#run.leftOfRow() >>> 0, filled: this.#run.outputLength() };
  }

  /** The first bytes of rows that were taken; overwritten by the next ones. */
  taken(length: number): Uint8Array {
    return this.#output.subarray(0, length);
  }
}
