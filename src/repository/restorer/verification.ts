/** Reads restored files back and compares them with the snapshot. */
import { mapBounded } from '../archiver/gate.ts';
import type { Id } from '../format/id.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import type { Crew } from '../workers/crew.ts';
import type { Compared, FileToCompare } from './compare-task.ts';
import { plainLength } from './file-job.ts';
import type { Folder } from './folders.ts';
import { Losses } from './losses.ts';
import type { Select } from './selection.ts';
import type { LoadTree } from './tree-path.ts';
import { type FoundEntry, walk } from './walk.ts';
import type { Answer, Task } from './restorer-worker.ts';

/** What is read before another task is begun, and by one task. */
const BATCH_TASKS = 8;
const TASK_BYTES = 16 * 1024 * 1024;
const TASK_FILES = 256;

export interface VerificationParts {
  readonly crew: Crew<Task, Answer>;
  readonly index: BlobIndex;
  readonly load: LoadTree;
  readonly select: Select;
  readonly losses: Losses;
  /** Files that the restore left as they were. */
  readonly untouched: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

interface Checked {
  readonly location: string;
  readonly file: FileToCompare;
}

/**
 * Every regular file that was written. What differs, or cannot be read, is told as a loss.
 * @returns how many are right
 */
export async function verify(root: Folder, tree: Id, parts: VerificationParts): Promise<number> {
  let right = 0;
  let batch: Checked[][] = [];
  let bytes = 0;
  const check = async (): Promise<void> => {
    const counts = await mapBounded(batch, batch.length, (task) => checkTask(task, parts));
    right += counts.reduce((sum, count) => sum + count, 0);
    batch = [];
  };
  // What is damaged has been told already.
  for await (const found of walk(root, tree, parts.load, parts.select, new Losses(undefined), parts.signal)) {
    const checked = found.kind === 'entry' ? toCheck(found, parts) : undefined;
    if (checked === undefined) continue;
    const last = batch.at(-1);
    if (last === undefined || last.length >= TASK_FILES || bytes + checked.file.size > TASK_BYTES) {
      if (batch.length >= BATCH_TASKS) await check();
      batch.push([checked]);
      bytes = checked.file.size;
    } else {
      last.push(checked);
      bytes += checked.file.size;
    }
  }
  await check();
  return right;
}

/** @returns how many are right */
async function checkTask(task: readonly Checked[], { crew, losses }: VerificationParts): Promise<number> {
  const answers = (await crew.run({ kind: 'compare', files: task.map(({ file }) => file) })) as readonly Compared[];
  let right = 0;
  for (const [number, { location }] of task.entries()) {
    if (answers[number]?.right === true) right += 1;
    else losses.lose(location, 'target', 'read back, it is not what the snapshot holds');
  }
  return right;
}

/** Undefined for what this restore has not written. */
function toCheck({ node, folder }: FoundEntry, { index, losses, untouched }: VerificationParts): Checked | undefined {
  const location = `${folder.location}/${node.name}`;
  if (node.type !== 'file' || untouched.has(location) || isLost(location, folder, losses)) return undefined;
  const blobs = (node.content ?? []).map((id) => {
    const blob = index.find('data', id);
    return { id, length: blob === undefined ? 0 : plainLength(blob) };
  });
  const size = blobs.reduce((sum, { length }) => sum + length, 0);
  return { location, file: { path: `${folder.path}/${node.name}`, size, links: Number.MAX_SAFE_INTEGER, blobs } };
}

function isLost(location: string, folder: Folder, losses: Losses): boolean {
  if (losses.causeOf(location) !== undefined) return true;
  for (let at: Folder | undefined = folder; at !== undefined; at = at.parent)
    if (losses.causeOf(at.location) !== undefined) return true;
  return false;
}
