import type { ArchivePlace, WrittenFile } from '../archive/archive.ts';
import type { RespaldoError } from '../errors.ts';

/** What one place has got. */
export interface ArchiveOutcome {
  readonly archive: string;
  readonly location: string;
  /** `incomplete`: all files are there, but a source could not be read as a whole. */
  readonly state: 'succeeded' | 'incomplete' | 'failed';
  readonly files: readonly Extract<WrittenFile, { manifest: unknown }>[];
  readonly failures: readonly { readonly database: string; readonly error: RespaldoError; readonly leftIn?: string }[];
}

/** A place that failed so often in a row is not tried with more files. */
const PATIENCE = 3;

/** What a place has got until now. */
export class Tally {
  readonly place: ArchivePlace;
  readonly #tell: ((file: WrittenFile) => void) | undefined;
  readonly #files: Extract<WrittenFile, { manifest: unknown }>[] = [];
  readonly #failures: { database: string; error: RespaldoError; leftIn?: string }[] = [];
  #inARow = 0;

  /** @param tell of each file that is there, or is not */
  constructor(place: ArchivePlace, tell: ((file: WrittenFile) => void) | undefined) {
    this.place = place;
    this.#tell = tell;
  }

  get isHopeless(): boolean {
    return this.#inARow >= PATIENCE;
  }

  /** What was to be stored there last is not. */
  get hasFailed(): boolean {
    return this.#inARow > 0;
  }

  get lastError(): RespaldoError | undefined {
    return this.#failures.at(-1)?.error;
  }

  get count(): number {
    return this.#files.length;
  }

  add(file: WrittenFile, database: string): void {
    this.#tell?.(file);
    if (file.error === undefined) {
      this.#files.push(file);
      this.#inARow = 0;
      return;
    }
    const { error, leftIn } = file;
    this.#failures.push({ database, error, ...(leftIn !== undefined && { leftIn }) });
    this.#inARow += 1;
  }

  /** A file that no place can have. */
  miss(database: string, error: RespaldoError): void {
    this.#tell?.({ place: this.place, key: database, error });
    this.#failures.push({ database, error });
  }

  outcome(isIncomplete: boolean): ArchiveOutcome {
    const { archive, store } = this.place;
    const lacks = isIncomplete || this.#files.some(({ manifest }) => manifest.facts['incomplete'] !== undefined);
    return {
      archive,
      location: store.location,
      state: this.#failures.length > 0 ? 'failed' : lacks ? 'incomplete' : 'succeeded',
      files: this.#files,
      failures: this.#failures,
    };
  }
}
