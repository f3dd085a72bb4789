import type { FileJob } from './file-job.ts';

/** How many files and blobs are planned together, so that these are read pack by pack, and how many such batches run at once. */
export interface BatchLimits {
  /** Of the first batch: no worker has anything to do before. Each is twice as large as the one before, up to `files`. */
  readonly first: number;
  readonly files: number;
  readonly blobs: number;
  /** While one is being restored, the next ones are put together and begun, so that no worker waits for its end. */
  readonly atOnce: number;
}

/** Where packs lie on this machine: looking into one again costs nothing, and the first files are begun at once. */
export const NEAR: BatchLimits = { first: 64, files: 1024, blobs: 4096, atOnce: 3 };
/** Where packs are asked for: the blobs of one should come in few answers. */
export const FAR: BatchLimits = { first: 8192, files: 8192, blobs: 16384, atOnce: 2 };

/** Gathers files into batches, whose size bounds memory, and restores those while more are found. */
export class Batches {
  readonly #restore: (jobs: readonly FileJob[]) => Promise<void>;
  readonly #running = new Set<Promise<void>>();
  #jobs: FileJob[] = [];
  #blobs = 0;
  #files: number;
  readonly #limits: BatchLimits;

  constructor(limits: BatchLimits, restore: (jobs: readonly FileJob[]) => Promise<void>) {
    this.#limits = limits;
    this.#files = limits.first;
    this.#restore = restore;
  }

  /** Whether {@link send} should be awaited before anything is added. */
  get isFull(): boolean {
    return this.#jobs.length >= this.#files || this.#blobs >= this.#limits.blobs;
  }

  add(job: FileJob): void {
    this.#jobs.push(job);
    this.#blobs += job.blobs.length;
  }

  /** Begins the batch, once another one has made room. @throws what a running batch has thrown */
  async send(): Promise<void> {
    while (this.#running.size >= this.#limits.atOnce) await Promise.race(this.#running);
    const batch = this.#restore(this.#jobs);
    this.#jobs = [];
    this.#blobs = 0;
    this.#files = Math.min(2 * this.#files, this.#limits.files);
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
