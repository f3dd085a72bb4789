import { constants, type Stats } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import { errnoOf, throwIfAborted } from '../../errors.ts';
import { isAbsence } from './errors.ts';

/** The most that one call reads or writes; Linux never does more than 2 GiB. */
const LARGEST_PIECE = 1 << 30;
/** What a write past the cache begins and ends with: a page of memory, and a multiple of every disk's block. */
const PAGE = 4096;
/** From how many bytes on it pays to write past the cache. */
const WORTH_IT = 1024 * 1024;
/** Only Linux has a flag for it. */
const FLAGS: { readonly O_WRONLY: number; readonly O_DIRECT?: number } = constants;

export async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/**
 * Fewer bytes than `length` only if the file ends there. They have an ArrayBuffer of their own, so that they can be
 * handed to another thread.
 */
export async function readRange(
  handle: FileHandle,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    throwIfAborted(signal);
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, LARGEST_PIECE), offset + done);
    if (bytesRead === 0) return bytes.slice(0, done);
    done += bytesRead;
  }
  return bytes;
}

/** Writes everything, syncs and closes. `path` is the file's. */
export async function writeDurably(
  handle: FileHandle,
  path: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  try {
    const done = bytes.length >= WORTH_IT ? await writePastCache(path, bytes, signal) : 0;
    await writePiece(handle, bytes.subarray(done), signal, done);
    throwIfAborted(signal);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes whole pages to the disk itself, from where they are in memory: nothing is copied, and the cache keeps what
 * other programs need. For a file that has no content yet.
 * @returns how many bytes were written: none where the file system knows no such writes, or the bytes do not begin with
 *   a page of memory
 */
async function writePastCache(path: string, bytes: Uint8Array, signal: AbortSignal): Promise<number> {
  const end = bytes.length - (bytes.length % PAGE);
  let done = 0;
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, FLAGS.O_WRONLY | (FLAGS.O_DIRECT ?? 0));
    while (done < end && done % PAGE === 0) {
      throwIfAborted(signal);
      done += (await handle.write(bytes, done, Math.min(end - done, LARGEST_PIECE), done)).bytesWritten;
    }
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  } finally {
    await handle?.close();
  }
  return done;
}

/** The same of pieces that come one after the other. @returns how many bytes they had */
export async function writeAllDurably(
  handle: FileHandle,
  pieces: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  try {
    let size = 0;
    for await (const piece of pieces) {
      await writePiece(handle, piece, signal);
      size += piece.length;
    }
    throwIfAborted(signal);
    await handle.sync();
    return size;
  } finally {
    await handle.close();
  }
}

/** @param at where in the file; absent: where the last piece ended */
async function writePiece(handle: FileHandle, bytes: Uint8Array, signal: AbortSignal, at?: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    throwIfAborted(signal);
    const length = Math.min(bytes.length - done, LARGEST_PIECE);
    const { bytesWritten } = await handle.write(bytes, done, length, at === undefined ? null : at + done);
    done += bytesWritten;
  }
}

/** Makes the names in a folder durable. Some file systems cannot, and then do not need it. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  } finally {
    await handle.close();
  }
}

function isUnsupported(error: unknown): boolean {
  return ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '');
}

/**
 * Makes a folder and those above it, durably, for its owner alone. Not by Node's `recursive`: where a file system says
 * "no such file" to every new folder, as /proc does, that one tries for ever.
 */
export async function makeFolders(folder: string): Promise<void> {
  const parent = dirname(folder);
  try {
    if (!(await mkdirIfMissing(folder, 0o700))) return;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || parent === folder) throw error;
    await makeFolders(parent);
    await mkdirIfMissing(folder, 0o700);
  }
  await syncFolder(parent);
}

/** @returns whether it was missing. */
export async function mkdirIfMissing(folder: string, mode: number): Promise<boolean> {
  try {
    await mkdir(folder, mode);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}
