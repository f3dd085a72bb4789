import type { Clock } from '../../clock.ts';
import type { RestoredItem, RestoreProgress } from '../repository.ts';

/** Milliseconds between two reports. */
const PAUSE = 100;

/** Counts entries of every kind, folders too, as restic does, and bytes of files' content. */
export class Tally {
  #filesFound = 0;
  #bytesFound = 0;
  #filesRestored = 0;
  #filesSkipped = 0;
  #filesDeleted = 0;
  #bytesRestored = 0;
  #bytesSkipped = 0;
  #reported = -Infinity;
  readonly #expected: { readonly files: number; readonly bytes: number };
  readonly #clock: Clock;
  readonly #report: ((progress: RestoreProgress) => void) | undefined;
  readonly #tell: ((item: RestoredItem) => void) | undefined;

  /** @param expected totals that are known before the snapshot has been walked; the walk corrects them upwards */
  constructor(
    clock: Clock,
    report: ((progress: RestoreProgress) => void) | undefined,
    expected: { readonly files: number; readonly bytes: number },
    tell?: (item: RestoredItem) => void,
  ) {
    this.#clock = clock;
    this.#report = report;
    this.#expected = expected;
    this.#tell = tell;
  }

  /** Something that is to be restored. */
  found(bytes: number): void {
    this.#filesFound++;
    this.#bytesFound += bytes;
  }

  /** It is there now; its bytes were counted as they came. `size`: of a regular file. */
  restored(path: string, action: 'restored' | 'updated', size?: number): void {
    this.#filesRestored++;
    this.#tell?.({ path, action, ...(size !== undefined && { size }) });
    this.#progress();
  }

  /** It was there and stays. */
  skipped(path: string, bytes: number): void {
    this.#filesSkipped++;
    this.#bytesSkipped += bytes;
    this.#tell?.({ path, action: 'unchanged', size: bytes });
    this.#progress();
  }

  /** It was in the target, and not in the snapshot. */
  deleted(path: string): void {
    this.#filesDeleted++;
    this.#tell?.({ path, action: 'deleted' });
    this.#progress();
  }

  /** Bytes of a file that are in their place now; negative if they turn out to be in vain. */
  wrote(bytes: number): void {
    this.#bytesRestored += bytes;
    this.#progress();
  }

  /** In the end totals are what was found. */
  get result(): RestoreProgress {
    return this.#state(this.#filesFound, this.#bytesFound);
  }

  #state(filesTotal: number, bytesTotal: number): RestoreProgress {
    return {
      filesTotal,
      filesRestored: this.#filesRestored,
      filesSkipped: this.#filesSkipped,
      ...(this.#filesDeleted > 0 && { filesDeleted: this.#filesDeleted }),
      bytesTotal,
      bytesRestored: this.#bytesRestored,
      bytesSkipped: this.#bytesSkipped,
    };
  }

  #progress(): void {
    if (this.#report === undefined) return;
    const now = this.#clock.monotonic();
    if (now - this.#reported < PAUSE) return;
    this.#reported = now;
    const { files, bytes } = this.#expected;
    this.#report(this.#state(Math.max(files, this.#filesFound), Math.max(bytes, this.#bytesFound)));
  }
}
