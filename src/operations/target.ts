import { opendir, statfs } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, RespaldoError } from '../errors.ts';

/** What lies where a restore would write. */
export interface TargetState {
  readonly exists: boolean;
  /** Entries directly in it, counted up to {@link MANY_ENTRIES}. */
  readonly entries: number;
  /** Bytes that this user may still write there. */
  readonly freeBytes: number;
}

const MANY_ENTRIES = 1000;

/** @param folder an absolute path. @throws RespaldoError `target-unsafe` if it is no folder or cannot be read. */
export async function inspectTarget(folder: string): Promise<TargetState> {
  const entries = await countEntries(folder);
  return { exists: entries !== undefined, entries: entries ?? 0, freeBytes: await freeBytesAt(folder) };
}

/** Undefined: there is no such folder. */
async function countEntries(folder: string): Promise<number | undefined> {
  try {
    let count = 0;
    for await (const _entry of await opendir(folder)) {
      count += 1;
      if (count === MANY_ENTRIES) break;
    }
    return count;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') return undefined;
    const reason = code === 'ENOTDIR' ? 'it is not a folder' : error instanceof Error ? error.message : String(error);
    throw new RespaldoError('target-unsafe', `cannot restore into ${folder}: ${reason}`, {
      hint: 'Name a folder that does not exist yet, or an empty one, by --target.',
      cause: error,
    });
  }
}

/** Of the file system that the folder would lie in. */
async function freeBytesAt(folder: string): Promise<number> {
  for (let at = folder; ; at = path.dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at);
      return bavail * bsize;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || at === path.dirname(at)) throw error;
    }
  }
}
