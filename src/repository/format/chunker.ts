/**
 * Content-defined chunking as restic does it: a chunk ends where the Rabin fingerprint of the 64 bytes before has 20
 * zero bits, but never before 512 KiB nor after 8 MiB. So an insertion moves cuts only near itself. Other sizes are as
 * good for whoever reads: a file is the sum of its blobs.
 */
import { createKernel } from '../kernel/kernel.ts';

export const MIN_CHUNK = 512 * 1024;
export const MAX_CHUNK = 8 * 1024 * 1024;

/** What chunks may be like. Bytes; a cut is looked for in every place with a chance of one in two to the `bits`. */
export interface ChunkSizes {
  readonly min: number;
  readonly max: number;
  readonly bits: number;
  /** Cuts are at ends of lines only, and found by the whole line. */
  readonly lines?: true;
}

export const RESTIC_SIZES: ChunkSizes = { min: MIN_CHUNK, max: MAX_CHUNK, bits: 20 };

const SMALLEST_AVERAGE = 4096;

/**
 * Chunks of about that many bytes, for content that changes in many places.
 * @param average is rounded down to a power of two from 4 KiB to 1 MiB.
 */
export function chunkSizes(average: number): ChunkSizes {
  const bounded = Math.min(Math.max(average, SMALLEST_AVERAGE), RESTIC_SIZES.max / 8);
  const bits = Math.floor(Math.log2(bounded)) - 1;
  // As far again as the least, on average: half of all bytes need not be looked at.
  return { min: 2 ** bits, max: 2 ** bits * 16, bits };
}

/**
 * The same for lines, each of which is a whole of its own: several times as fast, and what replaces a line changes one
 * chunk, never two.
 */
export function lineSizes(average: number): ChunkSizes {
  return { ...chunkSizes(average), lines: true };
}

/** Finds the ends of chunks in bytes that the caller puts into `window`. One thread's. */
export class Chunker {
  /** `capacity` writable bytes: the caller fills it and moves its content as it likes. */
  readonly window: Uint8Array;
  readonly #kernel;
  #sizes = RESTIC_SIZES;
  #start = -1;
  /** No cut lies at or before this place of the current chunk. */
  #scanned = 0;
  /** Where the line begins that is to be scanned next; -1: not known yet. */
  #line = -1;

  constructor(polynomial: bigint, capacity: number) {
    this.#kernel = createKernel(capacity);
    this.#kernel.run.setPolynomial(polynomial);
    const { memory, base } = this.#kernel;
    this.window = memory.subarray(base, base + capacity);
  }

  /** From the next chunk on. The first ones are restic's. */
  use(sizes: ChunkSizes): void {
    this.#sizes = sizes;
    this.#start = -1;
  }

  /**
   * End (exclusive) of the chunk that starts at `start`, given valid bytes [start, end); 0 if there are none, or more
   * are needed.
   * `final`: no bytes follow, so that the rest is a chunk. Bytes before `end` must not change between calls with the
   * same `start`: what has been scanned is not scanned again.
   */
  next(start: number, end: number, final: boolean): number {
    const { min, max } = this.#sizes;
    if (start !== this.#start) {
      this.#start = start;
      this.#scanned = start + min - 1;
      this.#line = -1;
    }
    const cut = this.#scan(Math.min(end, start + max));
    const isWhole = cut !== 0 || end - start >= max || (final && end > start);
    if (!isWhole) return 0;
    this.#start = -1;
    return cut === 0 ? Math.min(end, start + max) : cut;
  }

  /** The window's content has been moved down by `delta` bytes. */
  moved(delta: number): void {
    if (this.#start < 0) return;
    this.#start -= delta;
    this.#scanned -= delta;
    if (this.#line >= 0) this.#line -= delta;
  }

  /** First cut after what is scanned, up to and including `limit`; 0 if there is none. */
  #scan(limit: number): number {
    if (limit <= this.#scanned) return 0;
    const { run, base } = this.#kernel;
    const { lines, bits } = this.#sizes;
    const cut = lines === true ? this.#scanLines(limit) : run.cut(base + this.#scanned + 1, base + limit, bits);
    this.#scanned = limit;
    return cut === 0 ? 0 : cut - base;
  }

  #scanLines(limit: number): number {
    const { run, base } = this.#kernel;
    if (this.#line < 0) this.#line = run.lineOf(base + this.#start, base + this.#scanned + 1) - base;
    const cut = run.cutLines(base + this.#line, base + limit, this.#sizes.bits);
    if (cut === 0) this.#line = run.unfinishedLine() - base;
    return cut;
  }
}
