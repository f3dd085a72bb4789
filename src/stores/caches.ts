/** The folder of all caches: one folder in it for each repository, named by its id, as restic has it. */
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../clock.ts';
import { errnoOf, RespaldoError } from '../errors.ts';
import { CacheFolder } from './cache-folder.ts';
import { makeFolders } from './local/file.ts';

/** What is known of a repository's cache. */
export interface CacheInfo {
  readonly repositoryId: string;
  readonly usedAt: Date;
  /** Bytes of its files. */
  readonly size: number;
}

/** Days after which a cache that nobody used is removed by whoever opens another one. */
const OLD_DAYS = 30;

const DAY_MS = 24 * 60 * 60 * 1000;
const REPOSITORY_ID = /^[0-9a-f]{64}$/;
/** Tells programs that copy or back up the disk to leave the folder out: https://bford.info/cachedir/ */
const TAG = 'Signature: 8a477f597d28d172789f06886806bc55\n';
/** Of the layout, in a file `version`: restic's. */
const VERSION = '1';

/**
 * Opens or makes a repository's cache, marks it as used, and removes those that nobody used for long.
 * @throws the file system's error, or `usage` for a cache of a later version
 */
export async function openCache(
  base: string,
  repositoryId: string,
  clock: Clock,
  onProblem: (error: unknown) => void,
): Promise<CacheFolder> {
  const folder = join(base, repositoryId);
  await makeFolders(folder);
  await writeIfMissing(join(base, 'CACHEDIR.TAG'), TAG);
  const version = await writeIfMissing(join(folder, 'version'), VERSION);
  if (version !== VERSION) throw new RespaldoError('usage', `${folder} is the cache of another version: ${version}`);
  await utimes(folder, clock.now(), clock.now());
  await removeOldCaches(base, OLD_DAYS, clock);
  return new CacheFolder(folder, clock, onProblem);
}

/** Those there are, the one that was used last at the end. A missing folder has none. */
export async function listCaches(base: string): Promise<CacheInfo[]> {
  const caches: CacheInfo[] = [];
  for (const repositoryId of await namesOfCaches(base)) {
    const folder = join(base, repositoryId);
    const { mtime } = await stat(folder);
    caches.push({ repositoryId, usedAt: mtime, size: await sizeOf(folder) });
  }
  return caches.sort((a, b) => a.usedAt.getTime() - b.usedAt.getTime());
}

/** Removes the caches that nobody used for so many days. @returns the ids of their repositories */
export async function removeOldCaches(base: string, days: number, clock: Clock): Promise<string[]> {
  const removed: string[] = [];
  for (const repositoryId of await namesOfCaches(base)) {
    const folder = join(base, repositoryId);
    const usedAt = await stat(folder).then(({ mtimeMs }) => mtimeMs, gone);
    if (usedAt === undefined || usedAt > clock.now().getTime() - days * DAY_MS) continue;
    await rm(folder, { recursive: true, force: true });
    removed.push(repositoryId);
  }
  return removed;
}

/** @returns what the file holds now */
async function writeIfMissing(path: string, text: string): Promise<string> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    return text;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return (await readFile(path, 'utf8')).trim() || text;
  }
}

async function namesOfCaches(base: string): Promise<string[]> {
  const entries = (await readdir(base, { withFileTypes: true }).catch(gone)) ?? [];
  return entries.filter((entry) => entry.isDirectory() && REPOSITORY_ID.test(entry.name)).map(({ name }) => name);
}

async function sizeOf(folder: string): Promise<number> {
  let size = 0;
  for (const entry of (await readdir(folder, { recursive: true, withFileTypes: true }).catch(gone)) ?? [])
    if (entry.isFile()) size += (await stat(join(entry.parentPath, entry.name)).catch(gone))?.size ?? 0;
  return size;
}

/** What is not there, or not any more: others may be cleaning up as well. */
function gone(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error;
  return undefined;
}
