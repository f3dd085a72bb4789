/**
 * Content-defined chunking as restic does it: a chunk ends where the Rabin fingerprint of the 64 bytes before has 20
 * zero bits, but never before 512 KiB nor after 8 MiB. So an insertion moves cuts only near itself.
 */
import { createKernel } from '../kernel/kernel.ts';

export const MIN_CHUNK = 512 * 1024;
export const MAX_CHUNK = 8 * 1024 * 1024;

/** Finds the ends of chunks in bytes that the caller puts into `window`. One thread's. */
export class Chunker {
  /** `capacity` writable bytes: the caller fills it and moves its content as it likes. */
  readonly window: Uint8Array;
  readonly #kernel;
  #start = -1;
  /** No cut lies at or before this place of the current chunk. */
  #scanned = 0;

  constructor(polynomial: bigint, capacity: number) {
    this.#kernel = createKernel(capacity);
    this.#kernel.run.setPolynomial(polynomial);
    const { memory, base } = this.#kernel;
    this.window = memory.subarray(base, base + capacity);
  }

  /**
   * End (exclusive) of the chunk that starts at `start`, given valid bytes [start, end); 0 if there are none, or more
   * are needed.
   * `final`: no bytes follow, so that the rest is a chunk. Bytes before `end` must not change between calls with the
   * same `start`: what has been scanned is not scanned again.
   */
  next(start: number, end: number, final: boolean): number {
    if (start !== this.#start) {
      this.#start = start;
      this.#scanned = start + MIN_CHUNK - 1;
    }
    const cut = this.#scan(Math.min(end, start + MAX_CHUNK));
    const isWhole = cut !== 0 || end - start >= MAX_CHUNK || (final && end > start);
    if (!isWhole) return 0;
    this.#start = -1;
    return cut === 0 ? Math.min(end, start + MAX_CHUNK) : cut;
  }

  /** The window's content has been moved down by `delta` bytes. */
  moved(delta: number): void {
    if (this.#start < 0) return;
    this.#start -= delta;
    this.#scanned -= delta;
  }

  /** First cut after what is scanned, up to and including `limit`; 0 if there is none. */
  #scan(limit: number): number {
    if (limit <= this.#scanned) return 0;
    const { run, base } = this.#kernel;
    const cut = run.cut(base + this.#scanned + 1, base + limit);
    this.#scanned = limit;
    return cut === 0 ? 0 : cut - base;
  }
}
