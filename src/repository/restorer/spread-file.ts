/** Files that several tasks write to: what is done before the first and after the last of them. */
import { closeSync, constants, fchmodSync, fsyncSync, ftruncateSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';
import { fsPath, type LocalPath } from '../filesystem/path.ts';
import type { FileJob } from './file-job.ts';
import type { WriterOptions } from './writer-options.ts';
import { applyToFile } from './metadata.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/** Makes the file, or makes the present one writable; in its full length, so that pieces can come in any order. */
export function prepareFile(job: FileJob): void {
  const path = fsPath(job.writeTo);
  if (job.present !== undefined) makeWritable(path);
  const fd =
    job.present === undefined ? createFile(path, job.writeTo !== job.path) : openSync(path, O_WRONLY | O_NOFOLLOW);
  try {
    ftruncateSync(fd, job.size);
  } finally {
    closeSync(fd);
  }
}

/** Sets the metadata and gives the file its name. @returns what could not be set, in words */
export function finishFile(job: FileJob, options: WriterOptions): string[] {
  const path = fsPath(job.writeTo);
  const fd = openSync(path, O_WRONLY | O_NOFOLLOW);
  let problems: string[];
  try {
    problems = applyToFile(fd, job.metadata, options.owners);
    if (options.syncEach) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (job.writeTo !== job.path) renameSync(path, fsPath(job.path));
  return problems;
}

/**
 * A new file, never through a symlink.
 * @param temporary the name is one of ours: what a killed run left under it is replaced
 */
export function createFile(path: LocalPath, temporary: boolean): number {
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    if (!temporary || errnoOf(error) !== 'EEXIST') throw error;
    unlinkSync(path);
    return openSync(path, flags, 0o600);
  }
}

export function removeFile(path: LocalPath): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** An earlier run may have finished the file, read-only or set-uid as it was. */
function makeWritable(path: LocalPath): void {
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW);
  try {
    fchmodSync(fd, 0o600);
  } finally {
    closeSync(fd);
  }
}
