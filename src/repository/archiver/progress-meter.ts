/** Tells how far a save has come, a few times a second. */
import type { Clock } from '../../clock.ts';
import type { SaveOptions } from '../repository.ts';
import type { Tally } from './tally.ts';

const INTERVAL_MS = 100;

export class ProgressMeter {
  readonly #clock: Clock;
  readonly #tally: Tally;
  readonly #options: SaveOptions;
  #scanned: () => { readonly files: number; readonly bytes: number } = () => ({ files: 0, bytes: 0 });
  #streamed = 0;
  #errors = 0;
  #current = '';
  #told = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, tally: Tally, options: SaveOptions) {
    this.#clock = clock;
    this.#tally = tally;
    this.#options = options;
  }

  /** What a scan of local trees has found so far; the source's own estimate comes on top. */
  against(scanned: () => { readonly files: number; readonly bytes: number }): void {
    this.#scanned = scanned;
  }

  tick(errors: number, current: string | undefined): void {
    this.#errors = errors;
    if (current !== undefined) this.#current = current;
    this.#tell(false);
  }

  /** Bytes of a stream that is being read; they count before its file does. */
  streamed(bytes: number): void {
    this.#streamed += bytes;
    this.#tell(false);
  }

  last(): void {
    this.#tell(true);
  }

  #tell(isLast: boolean): void {
    const { onProgress } = this.#options;
    if (onProgress === undefined) return;
    const now = this.#clock.monotonic();
    if (!isLast && now - this.#told < INTERVAL_MS) return;
    this.#told = now;
    const { files, bytesProcessed } = this.#tally;
    // A stream's bytes are in both counts once its file is done; the larger one is never ahead of the truth.
    const bytesDone = Math.max(bytesProcessed, this.#streamed);
    const expected = this.#options.expected?.() ?? { files: 0, bytes: 0 };
    const scanned = this.#scanned();
    onProgress({
      filesDone: files,
      bytesDone,
      filesTotal: Math.max(files, expected.files + scanned.files),
      bytesTotal: Math.max(bytesDone, expected.bytes + scanned.bytes),
      errorCount: this.#errors,
      currentFiles: isLast || this.#current === '' ? [] : [this.#current],
    });
  }
}
