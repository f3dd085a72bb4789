/**
 * The WebAssembly that reads the entries of blobs in an index file, where JavaScript would look at every byte alone. Its
 * source is `assembly/index-scan.ts`; `index-scan.wasm` is built from it by `node scripts/kernel.ts build`.
 */
import { instantiate } from '../../web-assembly.ts';

interface Exports {
  readonly INPUT: { readonly value: number };
  readonly CAPACITY: { readonly value: number };
  readonly OUTPUT: { readonly value: number };
  entries(from: number, length: number): number;
  rowCount(): number;
  isEnded(): boolean | number;
}

/** Words of an entry's row. */
const ROW_WORDS = 12;
/** The longest entry that it knows takes less. */
const LONGEST_ENTRY = 512;
/** What the kernel keeps for itself, input and output: no entry takes less than twice as much as its row. */
const PAGES = 7;

/** Entries that lie one behind the other. */
export interface Entries {
  /** For each an id, whether it is a tree, its offset, its length, and that of its content or 0; overwritten by the next call. */
  readonly rows: Uint32Array;
  /** Where the first byte lies that was not taken. */
  readonly next: number;
  /** Whether the list's closing bracket was taken, too. */
  readonly isEnded: boolean;
}

/** One index file, of which a stretch at a time lies in the kernel's memory. */
export class IndexScan {
  readonly #json: Uint8Array;
  readonly #run: Exports;
  readonly #memory: ArrayBuffer;
  #start = 0;
  #end = 0;

  constructor(json: Uint8Array) {
    this.#json = json;
    ({ run: this.#run, memory: this.#memory } = kernel());
  }

  /** Reads what it can of the entries that begin at `at`, each with the comma or bracket behind it: there may be more. */
  entries(at: number): Entries {
    this.#reach(at);
    const next = this.#start + this.#run.entries(at - this.#start, this.#end - this.#start);
    const rows = new Uint32Array(this.#memory, this.#run.OUTPUT.value, this.#run.rowCount() * ROW_WORDS);
    return { rows, next, isEnded: Boolean(this.#run.isEnded()) };
  }

  /** Another file may have been read meanwhile: each fetches what it needs at its first call. */
  #reach(at: number): void {
    const isIn = at >= this.#start && (at + LONGEST_ENTRY <= this.#end || this.#end === this.#json.length);
    if (isIn && this.#end > 0) return;
    const { INPUT, CAPACITY } = this.#run;
    this.#start = at;
    this.#end = Math.min(at + CAPACITY.value, this.#json.length);
    new Uint8Array(this.#memory).set(this.#json.subarray(at, this.#end), INPUT.value);
  }
}

let only: { readonly run: Exports; readonly memory: ArrayBuffer } | undefined;

/** This thread's: files are read one after another. */
function kernel(): NonNullable<typeof only> {
  if (only === undefined) {
    const { exports, memory } = instantiate(new URL('./index-scan.wasm', import.meta.url), PAGES);
    only = { run: exports as Exports, memory };
  }
  return only;
}
