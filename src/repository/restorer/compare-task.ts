/** A worker's work on files that exist already: which of their blobs are right. */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';
import { fsPath } from '../filesystem/path.ts';
import { hashId, type Id } from '../format/id.ts';
import { createFile } from './spread-file.ts';
import { isFatal, targetError } from './target-error.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

export interface CompareTask {
  readonly kind: 'compare';
  readonly files: readonly FileToCompare[];
}

export interface FileToCompare {
  /** In the string form of `domain/name.ts`, as `salvage`. */
  readonly path: string;
  readonly size: number;
  /** As many names as the file may have: with more, some lie outside of what is restored. */
  readonly links: number;
  readonly blobs: readonly { readonly id: Id; readonly length: number }[];
  /** A new file that gets what is right of this one, unless all of it is. */
  readonly salvage?: string;
}

export interface Compared {
  /** The file is a regular one and exactly what it should be. */
  readonly right: boolean;
  /** For each blob whether it is in its place: in the file, or in the salvage. */
  readonly present: readonly boolean[];
  /** Hard links to the file. */
  readonly links: number;
}

export function compare(task: CompareTask): Compared[] {
  return task.files.map(compareFile);
}

function compareFile(file: FileToCompare): Compared {
  const absent = { right: false, present: [], links: 0 };
  let fd: number;
  try {
    fd = openSync(fsPath(file.path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return absent;
  }
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) return absent;
    const present = [...blobsInPlace(fd, file.blobs)].map(({ right }) => right);
    const right = found.size === file.size && found.nlink <= file.links && !present.includes(false);
    if (right || file.salvage === undefined || !present.includes(true)) return { right, present, links: found.nlink };
    return { right, present: salvage(fd, file, file.salvage), links: found.nlink };
  } finally {
    closeSync(fd);
  }
}

let scratch = new Uint8Array(1024 * 1024);

/** `bytes` is a view that is valid until the next blob. */
function* blobsInPlace(
  fd: number,
  blobs: FileToCompare['blobs'],
): Generator<{ right: boolean; at: number; bytes: Uint8Array }> {
  let at = 0;
  for (const { id, length } of blobs) {
    if (scratch.length < length) scratch = new Uint8Array(length);
    let done = 0;
    for (let count = 1; count > 0 && done < length; done += count)
      count = readSync(fd, scratch, done, length - done, at + done);
    const bytes = scratch.subarray(0, done);
    yield { right: done === length && hashId(bytes) === id, at, bytes };
    at += length;
  }
}

/** Copies the blobs that are in place, verified once more while they are copied. @returns which they are */
function salvage(fd: number, file: FileToCompare, path: string): boolean[] {
  let copy: number | undefined;
  try {
    copy = createFile(fsPath(path), true);
    const copied: boolean[] = [];
    for (const { right, at, bytes } of blobsInPlace(fd, file.blobs)) {
      copied.push(right);
      for (let done = 0; right && done < bytes.length;)
        done += writeSync(copy, bytes, done, bytes.length - done, at + done);
    }
    return copied;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined || isFatal(errno)) throw targetError('write', file.path, error);
    return [];
  } finally {
    if (copy !== undefined) closeSync(copy);
  }
}
