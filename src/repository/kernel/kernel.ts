/**
 * The WebAssembly kernel: what JavaScript is too slow for. Its source is `assembly/kernel.ts`; `kernel.wasm` is built
 * from it by `node scripts/kernel.ts build` and kept in the repository, so that nobody needs a compiler to install.
 */
import { instantiate, PAGE } from '../../web-assembly.ts';

/** What the wasm file exports. Addresses are offsets into the instance's memory; those that callers use start at BASE. */
interface Exports {
  readonly BASE: { readonly value: number };
  /** Must be called before `cut`. Degree 53. */
  setPolynomial(polynomial: bigint): void;
  /** First position in [from, to] where the 64 bytes before it ask for a cut: `bits` bits of their digest are zero; 0: none. */
  cut(from: number, to: number, bits: number): number;
  /** First line end in (line, to] that is a cut; 0: none. Reads up to 8 bytes past `to`. */
  cutLines(line: number, to: number, bits: number): number;
  /** Where the line begins that `cutLines` saw no end of, when it found no cut. */
  unfinishedLine(): number;
  /** Where the line begins that holds the byte before `at`, but not before `from`. */
  lineOf(from: number, at: number): number;
  poly1305Begin(r: number): void;
  /** `length` is a multiple of 16. */
  poly1305Blocks(at: number, length: number): void;
  poly1305End(at: number, length: number, s: number, tag: number): void;
  /** `count` successive 16-byte big-endian counters from the one at `next`, which moves on. */
  counters(next: number, target: number, count: number): void;
  /** target ^= mask; touches up to 15 bytes past both ends. */
  xor(target: number, mask: number, length: number): void;
}

/** One instance with its own memory. Not shared between threads. */
export interface Kernel {
  readonly run: Exports;
  /** Where the caller's `capacity` bytes start in `memory`. */
  readonly base: number;
  /** The whole memory; never grows, so views on it stay valid. */
  readonly memory: Uint8Array;
}

/** Bytes below `capacity` that the kernel keeps for itself: one page. */
const OWN_PAGES = 1;

/** A new instance whose caller owns `capacity` bytes, plus the slack that the kernel may touch past the end. */
export function createKernel(capacity: number): Kernel {
  const pages = OWN_PAGES + Math.ceil((capacity + 16) / PAGE);
  const { exports, memory } = instantiate(new URL('./kernel.wasm', import.meta.url), pages);
  const run = exports as Exports;
  return { run, base: run.BASE.value, memory: new Uint8Array(memory) };
}
