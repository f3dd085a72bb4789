import { mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Clock } from '../clock.ts';
import { errnoOf } from '../errors.ts';
import { SqliteCatalog, isDamage } from './sqlite.ts';

/**
 * Makes a folder and those above it, for its owner alone. Not by Node's `recursive`: where a file system says "no such
 * file" to every new folder, as /proc does, that one tries for ever.
 */
export function makeFolder(folder: string): void {
  try {
    mkdirOnce(folder);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
    makeFolder(dirname(folder));
    mkdirOnce(folder);
  }
}

function mkdirOnce(folder: string): void {
  try {
    mkdirSync(folder, 0o700);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** Opens the catalog at `path`. A file that SQLite cannot read any more is moved aside, and a new one begun. */
export function openReplacingDamaged(path: string, warn: (message: string) => void, clock: Clock): SqliteCatalog {
  const before = inodeOf(path);
  try {
    return new SqliteCatalog(path);
  } catch (error) {
    if (!isDamage(error)) throw error;
    // Another process may have replaced it in the meantime.
    if (before !== undefined && inodeOf(path) === before) {
      warn(`the catalog ${path} was damaged, and is now ${moveAside(path, clock)}: a new one begins`);
    }
    return new SqliteCatalog(path);
  }
}

/** With the files in which SQLite keeps what is not yet in the main one. @returns the new name. */
function moveAside(path: string, clock: Clock): string {
  const aside = `${path}.damaged-${clock.now().toISOString().replaceAll(':', '-')}`;
  renameSync(path, aside);
  for (const part of ['-wal', '-shm']) {
    if (inodeOf(path + part) !== undefined) renameSync(path + part, aside + part);
  }
  return aside;
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
