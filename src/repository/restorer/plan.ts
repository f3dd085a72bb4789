/** How the blobs of many files are fetched: pack by pack, in the order in which they lie there. */
import type { Id } from '../format/id.ts';
import type { Located } from '../storage/blob-index.ts';
import { type FileJob, plainLength } from './file-job.ts';
import type { BlobOrder, OrdersToEncode } from './orders.ts';

/** Stored bytes of one task; its last blob may take it beyond. Few enough to spread work evenly and bound memory. */
const TASK_BYTES = 4 * 1024 * 1024;
/** Empty files of one task. */
const TASK_FILES = 1024;

/** A part of one pack, or, without a pack, empty files. */
export interface PlannedTask {
  readonly pack: Id | undefined;
  readonly jobs: readonly FileJob[];
  /** Numbers of files are places in `jobs`. */
  readonly blobs: readonly BlobOrder[];
}

interface Piece {
  readonly blob: Located;
  readonly job: FileJob;
  readonly at: number;
}

/**
 * Tasks that write what the files lack. Sets `pending` and `whole` of each: a file is whole if one task has all of it
 * and it does not exist yet.
 */
export function planTasks(jobs: readonly FileJob[]): PlannedTask[] {
  const tasks = [...planPacks(jobs), ...planEmpty(jobs)];
  for (const job of jobs) job.pending = 0;
  for (const task of tasks) for (const job of task.jobs) job.pending++;
  for (const job of jobs) job.whole = job.pending === 1 && job.present === undefined;
  return tasks;
}

/** The orders of a planned task, once it is known which files are whole. */
export function ordersOf({ jobs, blobs }: PlannedTask, sparse: boolean): OrdersToEncode {
  const pieces = new Uint32Array(jobs.length);
  for (const { targets } of blobs) for (const [file] of targets) pieces[file] = (pieces[file] ?? 0) + 1;
  const files = jobs.map(({ whole, writeTo, path, metadata, present }, file) => ({
    path: writeTo,
    pieces: pieces[file] ?? 0,
    // A file that is mended in place may hold anything where it is wrong.
    sparse: sparse && (present === undefined || writeTo !== path),
    ...(whole ? { whole: writeTo === path ? { metadata } : { metadata, rename: path } } : {}),
  }));
  return { files, blobs };
}

function planPacks(jobs: readonly FileJob[]): PlannedTask[] {
  const packs = new Map<Id, Piece[]>();
  for (const job of jobs) {
    for (const piece of missingPieces(job)) {
      const pieces = packs.get(piece.blob.pack);
      if (pieces === undefined) packs.set(piece.blob.pack, [piece]);
      else pieces.push(piece);
    }
  }
  return [...packs].flatMap(([pack, pieces]) => {
    pieces.sort((a, b) => a.blob.offset - b.blob.offset);
    return planPack(pack, pieces);
  });
}

function* missingPieces(job: FileJob): Generator<Piece> {
  let at = 0;
  for (const [number, blob] of job.blobs.entries()) {
    if (job.present?.[number] !== true) yield { blob, job, at };
    at += plainLength(blob);
  }
}

/** @param pieces by their offset in the pack; those of the same blob are neighbours */
function planPack(pack: Id, pieces: readonly Piece[]): PlannedTask[] {
  const tasks: PlannedTask[] = [];
  let task = new TaskDraft(pack);
  for (const piece of pieces) {
    if (task.bytes >= TASK_BYTES && !task.endsWith(piece.blob)) {
      tasks.push(task);
      task = new TaskDraft(pack);
    }
    task.add(piece);
  }
  tasks.push(task);
  return tasks;
}

class TaskDraft implements PlannedTask {
  readonly pack: Id;
  readonly jobs: FileJob[] = [];
  readonly blobs: { readonly blob: Located; readonly targets: [file: number, at: number][] }[] = [];
  bytes = 0;
  readonly #numbers = new Map<FileJob, number>();

  constructor(pack: Id) {
    this.pack = pack;
  }

  endsWith(blob: Located): boolean {
    return this.blobs.at(-1)?.blob.id === blob.id;
  }

  add({ blob, job, at }: Piece): void {
    const target: [number, number] = [this.#numberOf(job), at];
    const last = this.blobs.at(-1);
    if (last?.blob.id === blob.id) last.targets.push(target);
    else {
      this.blobs.push({ blob, targets: [target] });
      this.bytes += blob.length;
    }
  }

  #numberOf(job: FileJob): number {
    const known = this.#numbers.get(job);
    if (known !== undefined) return known;
    this.#numbers.set(job, this.jobs.length);
    return this.jobs.push(job) - 1;
  }
}

function planEmpty(jobs: readonly FileJob[]): PlannedTask[] {
  const empty = jobs.filter((job) => job.blobs.length === 0 && job.present === undefined);
  const tasks: PlannedTask[] = [];
  for (let at = 0; at < empty.length; at += TASK_FILES)
    tasks.push({ pack: undefined, jobs: empty.slice(at, at + TASK_FILES), blobs: [] });
  return tasks;
}
