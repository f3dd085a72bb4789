/** What is remembered of a stream, which has no end that could be waited for. */
import type { NewRun } from '../catalog/catalog.ts';
import type { RespaldoError } from '../errors.ts';
import { failureOf, type Recorder } from './recording.ts';

/** A stretch that was stored. Sizes in bytes. */
interface Stored {
  readonly snapshot: string;
  /** Of the stretch. */
  readonly bytes: number;
  /** What it took in the repository. */
  readonly bytesAdded: number;
  /** It holds all of the one before, too. */
  readonly replacesLast: boolean;
}

/**
 * A run from the beginning to the first trouble, and from each time that it goes on to the next. While it lasts it is told as
 * far as it has come: all until then is stored, and nobody who waits for a backup to end has to wait for it. It is there from
 * the first stretch on that is stored.
 */
export class StreamRecord {
  readonly #run: Omit<NewRun, 'startedAt' | 'owner'>;
  readonly #recorder: Recorder;
  #startedAt: Date;
  #id: number | undefined;
  #hasFailed = false;
  /** Of the stretches before the last one. */
  #bytesBefore = 0;
  #last: Stored | undefined;
  #bytesAdded = 0;

  constructor(run: Omit<NewRun, 'startedAt' | 'owner'>, recorder: Recorder) {
    this.#run = run;
    this.#recorder = recorder;
    this.#startedAt = recorder.clock.now();
  }

  async stored(stretch: Stored): Promise<void> {
    if (this.#hasFailed) this.#beginAnew();
    if (this.#last !== undefined && !stretch.replacesLast) this.#bytesBefore += this.#last.bytes;
    this.#last = stretch;
    this.#bytesAdded += stretch.bytesAdded;
    await this.#tell('succeeded');
  }

  /** Told once, however often it is tried again in vain. */
  async failed(error: RespaldoError): Promise<void> {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const { state, error: text } = failureOf(error);
    await this.#tell(state, text);
  }

  /** Somebody wanted an end, and all that had come is stored. */
  async ended(): Promise<void> {
    if (!this.#hasFailed) await this.#tell('succeeded');
  }

  #beginAnew(): void {
    this.#startedAt = this.#recorder.clock.now();
    this.#id = undefined;
    this.#hasFailed = false;
    this.#last = undefined;
    [this.#bytesBefore, this.#bytesAdded] = [0, 0];
  }

  async #tell(state: ReturnType<typeof failureOf>['state'] | 'succeeded', error?: string): Promise<void> {
    const { catalog, clock, owner } = this.#recorder;
    const begun = { ...this.#run, startedAt: this.#startedAt, ...(owner !== undefined && { owner }) };
    this.#id ??= await catalog.begin(begun);
    await catalog.finish(this.#id, {
      state,
      finishedAt: clock.now(),
      ...(this.#last && {
        snapshot: this.#last.snapshot,
        bytesProcessed: this.#bytesBefore + this.#last.bytes,
        bytesAdded: this.#bytesAdded,
      }),
      ...(error !== undefined && { error }),
    });
  }
}
