import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { errnoOf, isError, throwIfAborted } from '../../errors.ts';
import type { Store } from '../../stores/store.ts';
import { mapBounded } from '../archiver/gate.ts';
import { fsPath } from '../filesystem/path.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import type { BlobReader } from '../storage/blobs.ts';
import type { Crew } from '../workers/crew.ts';
import { settleExisting } from './comparison.ts';
import { LARGE } from './direct-file.ts';
import type { EarlySync } from './early-sync.ts';
import { type FileJob, isSpoiled, plainLength } from './file-job.ts';
import type { WriterOptions } from './writer-options.ts';
import type { Losses } from './losses.ts';
import { applyToPath } from './metadata.ts';
import { encodeOrders } from './orders.ts';
import { packSource, transferable } from './pack-source.ts';
import { ordersOf, type PlannedTask, planTasks } from './plan.ts';
import { finishFile, prepareFile, removeFile } from './spread-file.ts';
import type { Tally } from './tally.ts';
import { isFatal, reasonOf, targetError } from './target-error.ts';
import type { Answer, Task } from './restorer-worker.ts';
import type { Written } from './write-task.ts';

/** Tasks on their way for each worker: one at work, one waiting. */
const TASKS_A_WORKER = 2;

export interface FilesParts extends WriterOptions {
  readonly store: Store;
  readonly index: BlobIndex;
  readonly blobs: BlobReader;
  readonly crew: Crew<Task, Answer>;
  readonly tally: Tally;
  readonly losses: Losses;
  /** Told what is written through the system's cache. */
  readonly early: EarlySync;
  readonly dryRun: boolean;
  /** Collects files whose content is not this restore's. */
  readonly untouched?: Set<string>;
  readonly signal: AbortSignal;
}

/** Restores the content of regular files, many at a time. */
export class Files {
  readonly #parts: FilesParts;

  constructor(parts: FilesParts) {
    this.#parts = parts;
  }

  /** Afterwards each file is there and right, or told as a loss and not there. Their folders are. */
  async restore(jobs: readonly FileJob[]): Promise<void> {
    const { crew, dryRun, tally } = this.#parts;
    const { right, wanted } = await settleExisting(jobs, crew, dryRun);
    for (const job of right) this.#refresh(job);
    if (dryRun) {
      for (const job of wanted) {
        tally.wrote(job.size);
        tally.restored(job.location, actionOf(job), job.size);
      }
      return;
    }
    const tasks = planTasks(wanted);
    for (const job of wanted) await this.#prepare(job);
    await mapBounded(tasks, TASKS_A_WORKER * crew.size, (task) => this.#carryOut(task));
  }

  /** The content is right: only the metadata may not be. */
  #refresh(job: FileJob): void {
    const { dryRun, owners, losses, tally, untouched } = this.#parts;
    if (!dryRun) {
      this.#attempt(job, () => {
        for (const what of applyToPath(fsPath(job.path), job.metadata, owners)) losses.blemish(job.location, what);
      });
    }
    untouched?.add(job.location);
    if (job.refusal === undefined) tally.skipped(job.location, job.size);
    else losses.lose(job.location, 'target', job.refusal);
  }

  async #prepare(job: FileJob): Promise<void> {
    for (const [number, blob] of job.blobs.entries())
      if (job.present?.[number] === true) job.written += plainLength(blob);
    this.#parts.tally.wrote(job.written);
    if (!job.whole) this.#make(job);
    if (job.pending === 0) await this.#complete(job);
  }

  async #carryOut(task: PlannedTask): Promise<void> {
    const { store, crew, signal } = this.#parts;
    throwIfAborted(signal);
    const orders = encodeOrders(ordersOf(task, this.#parts.sparse));
    const pack = await packSource(store, task, signal);
    const transfer = [orders.buffer, ...transferable(pack)];
    const written = (await crew.run({ kind: 'write', orders, pack }, transfer)) as Written;
    this.#record(task, written);
    for (const job of task.jobs) {
      job.pending--;
      if (job.pending === 0) await this.#complete(job);
    }
  }

  #record(task: PlannedTask, { failures, problems }: Written): void {
    const { losses, tally, early, sparse } = this.#parts;
    for (const { file, blob, reason } of failures) {
      const job = task.jobs[file];
      if (job === undefined) continue;
      if (blob === undefined) job.refusal ??= reason;
      else job.damaged.set(blob, `${reason} (in pack ${task.pack ?? ''})`);
    }
    for (const { file, what } of problems) {
      const job = task.jobs[file];
      if (job !== undefined) losses.blemish(job.location, what);
    }
    for (const { blob, targets } of task.blobs) {
      for (const [number, [file]] of targets.entries()) {
        const job = task.jobs[file];
        if (job === undefined || isSpoiled(job)) continue;
        job.written += plainLength(blob);
        tally.wrote(plainLength(blob));
        // What is on the disk already need not be waited for.
        if (number > 0 || sparse || plainLength(blob) < LARGE) early.wrote(plainLength(blob));
      }
    }
  }

  async #complete(job: FileJob): Promise<void> {
    const { tally, losses } = this.#parts;
    if (job.refusal === undefined && job.damaged.size > 0) await this.#mend(job);
    if (!isSpoiled(job) && !job.whole) {
      this.#attempt(job, () => {
        for (const what of finishFile(job, this.#parts)) losses.blemish(job.location, what);
      });
    }
    if (isSpoiled(job)) this.#giveUp(job);
    else tally.restored(job.location, actionOf(job), job.size);
  }

  /** Blobs that were damaged where they were looked for may lie elsewhere as well. */
  async #mend(job: FileJob): Promise<void> {
    const { index, blobs, tally, signal } = this.#parts;
    if ([...job.damaged.keys()].some((id) => index.findAll('data', id).length < 2)) return;
    const lacking = new Set(job.whole ? job.blobs.map(({ id }) => id) : job.damaged.keys());
    tally.wrote(-job.written);
    job.written = 0;
    job.damaged.clear();
    if (job.whole) this.#make(job);
    job.whole = false;
    let at = 0;
    for (const blob of job.blobs) {
      if (isSpoiled(job)) return;
      if (lacking.has(blob.id)) {
        try {
          const bytes = await blobs.load('data', blob.id, signal);
          this.#attempt(job, () => writeAt(job, bytes, at));
        } catch (error) {
          if (!isError(error, 'repository-damaged')) throw error;
          job.damaged.set(blob.id, error.message);
        }
      }
      at += plainLength(blob);
    }
    job.written = job.size;
    tally.wrote(job.size);
  }

  /** What is not whole must not look as if it were: it is removed. A file that was to be replaced stays as it was. */
  #giveUp(job: FileJob): void {
    const { losses, tally } = this.#parts;
    tally.wrote(-job.written);
    try {
      if (job.made) removeFile(fsPath(job.writeTo));
    } catch (error) {
      losses.note(job.location, 'entry-left', `the incomplete file could not be removed: ${reasonOf(error)}`);
    }
    const [damage] = job.damaged.values();
    losses.lose(job.location, damage === undefined ? 'target' : 'damage', damage ?? job.refusal ?? '');
  }

  #make(job: FileJob): void {
    this.#attempt(job, () => {
      prepareFile(job);
      job.made = true;
    });
  }

  #attempt(job: FileJob, step: () => void): void {
    try {
      step();
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined || isFatal(errno)) throw targetError('write', job.path, error);
      job.refusal ??= reasonOf(error);
    }
  }
}

function actionOf({ existing }: FileJob): 'restored' | 'updated' {
  return existing === 'none' ? 'restored' : 'updated';
}

function writeAt(job: FileJob, bytes: Uint8Array, at: number): void {
  const fd = openSync(fsPath(job.writeTo), constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  } finally {
    closeSync(fd);
  }
}
