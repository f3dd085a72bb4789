import { fsPath } from '../filesystem/path.ts';
import type { Crew } from '../workers/crew.ts';
import type { Compared, FileToCompare } from './compare-task.ts';
import { type FileJob, plainLength } from './file-job.ts';
import { removeFile } from './spread-file.ts';
import type { Answer, Task } from './restorer-worker.ts';

/** Bytes of existing files that one task reads, about. */
const TASK_BYTES = 16 * 1024 * 1024;
const TASK_FILES = 256;

export interface Settled {
  /** Nothing of their content is to be written. */
  readonly right: readonly FileJob[];
  readonly wanted: readonly FileJob[];
}

/**
 * Looks at the content of the files that exist, and makes ready what is to be written: what is right of them stays,
 * in place or in the file that is to replace them, and is noted in `present`.
 */
export async function settleExisting(
  jobs: readonly FileJob[],
  crew: Crew<Task, Answer>,
  dryRun: boolean,
): Promise<Settled> {
  const right = jobs.filter((job) => job.existing === 'right');
  const wanted = jobs.filter((job) => job.existing === 'none');
  const asked = inTasks(jobs.filter((job) => job.existing === 'compare')).map(async (group) => {
    const files = group.map((job) => toCompare(job, dryRun));
    const answers = (await crew.run({ kind: 'compare', files })) as readonly Compared[];
    for (const [number, job] of group.entries()) {
      const answer = answers[number];
      if (answer?.right === true) right.push(job);
      else {
        if (!dryRun && answer !== undefined) keep(job, answer);
        wanted.push(job);
      }
    }
  });
  await Promise.all(asked);
  return { right, wanted };
}

function toCompare(job: FileJob, dryRun: boolean): FileToCompare {
  const blobs = job.blobs.map((blob) => ({ id: blob.id, length: plainLength(blob) }));
  const inPlace = job.writeTo === job.path;
  return {
    path: job.path,
    size: job.size,
    links: job.links,
    blobs,
    ...(dryRun || inPlace ? {} : { salvage: job.writeTo }),
  };
}

/** A file of our own is mended in place, unless it has other names: those might lie outside the target. */
function keep(job: FileJob, { present, links }: Compared): void {
  const inPlace = job.writeTo === job.path;
  const usable = present.includes(true) && (!inPlace || links === 1);
  if (usable) job.present = present;
  else if (inPlace) removeFile(fsPath(job.path));
}

function inTasks(jobs: readonly FileJob[]): FileJob[][] {
  const tasks: FileJob[][] = [];
  let task: FileJob[] = [];
  let bytes = 0;
  for (const job of jobs) {
    if (task.length >= TASK_FILES || (task.length > 0 && bytes + job.size > TASK_BYTES)) {
      tasks.push(task);
      task = [];
      bytes = 0;
    }
    task.push(job);
    bytes += job.size;
  }
  if (task.length > 0) tasks.push(task);
  return tasks;
}
