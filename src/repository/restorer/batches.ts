import type { FileJob } from './file-job.ts';

/** Files that are planned together: their blobs are then read pack by pack. Bounds memory. */
const BATCH_FILES = 1024;
const BATCH_BLOBS = 4096;
/** While one is being restored, the next ones are put together and begun, so that no worker waits for its end. */
const AT_ONCE = 3;

/** Gathers files into batches and restores those while more are found. */
export class Batches {
  readonly #restore: (jobs: readonly FileJob[]) => Promise<void>;
  readonly #running = new Set<Promise<void>>();
  #jobs: FileJob[] = [];
  #blobs = 0;

  constructor(restore: (jobs: readonly FileJob[]) => Promise<void>) {
    this.#restore = restore;
  }

  /** Whether {@link send} should be awaited before anything is added. */
  get isFull(): boolean {
    return this.#jobs.length >= BATCH_FILES || this.#blobs >= BATCH_BLOBS;
  }

  add(job: FileJob): void {
    this.#jobs.push(job);
    this.#blobs += job.blobs.length;
  }

  /** Begins the batch, once another one has made room. @throws what a running batch has thrown */
  async send(): Promise<void> {
    while (this.#running.size >= AT_ONCE) await Promise.race(this.#running);
    const batch = this.#restore(this.#jobs);
    this.#jobs = [];
    this.#blobs = 0;
    this.#running.add(batch);
    // A batch that fails stays among the running ones: whoever waits for them gets its error.
    batch.then(
      () => this.#running.delete(batch),
      () => undefined,
    );
  }

  async finish(): Promise<void> {
    if (this.#jobs.length > 0) await this.send();
    await Promise.all(this.#running);
  }
}
