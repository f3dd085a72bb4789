import { type BigIntStats, lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import type { LocalPath } from '../filesystem/path.ts';

/** What is at a path, itself if it is a symlink; undefined if nothing is. */
export function lookAt(path: LocalPath): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** Removes anything but a folder that holds something. @throws a system error, `ENOTEMPTY` for that one */
export function clear(path: LocalPath, existing: BigIntStats): void {
  if (existing.isDirectory()) rmdirSync(path);
  else unlinkSync(path);
}
