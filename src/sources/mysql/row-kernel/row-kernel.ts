/**
 * The WebAssembly that writes rows, many at once, where JavaScript would look at every byte alone. Its source is
 * `assembly/row-kernel.ts`; `row-kernel.wasm` is built from it by `node scripts/kernel.ts build` and kept in the repository.
 */
import { instantiate } from '../../../web-assembly.ts';

interface Exports {
  readonly INPUT: { readonly value: number };
  readonly CAPACITY: { readonly value: number };
  readonly OUTPUT: { readonly value: number };
  readonly FORMS: { readonly value: number };
  begin(): void;
  rows(length: number, columns: number, limit: number): number;
  outputLength(): number;
  rowCount(): number;
}

/** What became of a stretch of packets. */
export interface WrittenRows {
  /** So many of its bytes were whole packets that are rows of the usual sort. */
  readonly taken: number;
  readonly count: number;
  /** Each as `,\n(…)`; overwritten by the next call. */
  readonly text: Uint8Array;
}

/** The first page is its own, then come input and output: see the source. */
const PAGES = 27;

export class RowKernel {
  readonly #run: Exports;
  readonly #memory: Uint8Array;

  private constructor(run: Exports, memory: Uint8Array) {
    this.#run = run;
    this.#memory = memory;
    run.begin();
  }

  static #only: RowKernel | undefined;

  /** This thread's: it remembers nothing from one call to the next. */
  static get(): RowKernel {
    return (RowKernel.#only ??= RowKernel.#load());
  }

  static #load(): RowKernel {
    const { exports, memory } = instantiate(new URL('./row-kernel.wasm', import.meta.url), PAGES);
    return new RowKernel(exports as Exports, new Uint8Array(memory));
  }

  /**
   * @param packets of a server, one after the other; the last one need not be whole
   * @param forms of the values of a row: 0 bare, 1 hexadecimal, 2 text
   * @param limit no row is begun after so many bytes of output
   */
  rows(packets: Uint8Array, forms: Uint8Array, limit: number): WrittenRows {
    const { INPUT, CAPACITY, OUTPUT, FORMS } = this.#run;
    const input = packets.subarray(0, CAPACITY.value);
    this.#memory.set(input, INPUT.value);
    this.#memory.set(forms, FORMS.value);
    const taken = this.#run.rows(input.length, forms.length, limit);
    const text = this.#memory.subarray(OUTPUT.value, OUTPUT.value + this.#run.outputLength());
    return { taken, count: this.#run.rowCount(), text };
  }
}
