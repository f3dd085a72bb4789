/** Cuts a stream of bytes into content-defined chunks, through a window of bounded size. */
import { MAX_CHUNK, RESTIC_SIZES, type Chunker } from '../format/chunker.ts';

const READ_SIZE = 1024 * 1024;
/** Room that a {@link Cutter}'s chunker needs. */
export const CUTTER_WINDOW = MAX_CHUNK + 4 * READ_SIZE;

/** Use: fill `space()`, say how much with `filled()`, then `take()` until it has nothing; at the end `take(true)`. */
export class Cutter {
  readonly #chunker: Chunker;
  #start = 0;
  #end = 0;

  constructor(chunker: Chunker) {
    this.#chunker = chunker;
  }

  /** Where the next bytes go: at least 1 MiB of room. Chunks taken before are overwritten by it. */
  space(): Uint8Array {
    const { window } = this.#chunker;
    if (window.length - this.#end < READ_SIZE) {
      window.copyWithin(0, this.#start, this.#end);
      this.#chunker.moved(this.#start);
      this.#end -= this.#start;
      this.#start = 0;
    }
    return window.subarray(this.#end, Math.min(window.length, this.#end + READ_SIZE));
  }

  filled(length: number): void {
    this.#end += length;
  }

  /** The next chunk, or undefined if that needs more bytes; with `final`, the rest is a chunk too. A view: see `space`. */
  take(final: boolean): Uint8Array | undefined {
    if (this.#start === this.#end) return undefined;
    const end = this.#chunker.next(this.#start, this.#end, final);
    if (end === 0) return undefined;
    const chunk = this.#chunker.window.subarray(this.#start, end);
    this.#start = end;
    return chunk;
  }

  /** Forgets what is in the window: the next byte starts another stream. */
  reset(sizes = RESTIC_SIZES): void {
    this.#chunker.use(sizes);
    this.#start = 0;
    this.#end = 0;
  }
}
