import { closeSync, fsyncSync, openSync } from 'node:fs';
import { nativeCalls, systemError } from './native.ts';
import type { LocalPath } from './path.ts';

/**
 * Makes everything on the file system that holds `directory` durable, in one pass of the kernel.
 * @returns false where the system has no such call: then each file must be synced by itself.
 * @throws a system error for data that could not be written.
 */
export function syncFilesystem(directory: LocalPath): boolean {
  const native = nativeCalls();
  if (native === undefined) return false;
  const fd = openSync(directory, 'r');
  try {
    if (native.syncfs(fd) !== 0) throw systemError(native, 'syncfs', directory);
    return true;
  } finally {
    closeSync(fd);
  }
}

/**
 * The same, while this thread goes on. What could not be written is told once, here: no later call tells it again.
 * @returns false where the system has no such call
 * @throws an error for data that could not be written
 */
export async function syncFilesystemMeanwhile(directory: LocalPath): Promise<boolean> {
  const native = nativeCalls();
  if (native === undefined) return false;
  const fd = openSync(directory, 'r');
  try {
    if ((await native.syncfsMeanwhile(fd)) !== 0)
      throw new Error(`syncfs '${directory.toString()}': what was written could not be stored`);
    return true;
  } finally {
    closeSync(fd);
  }
}

/** Makes a file's content and metadata, or a directory's list of names, durable. */
export function syncPath(path: LocalPath): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
