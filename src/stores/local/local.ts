import { randomBytes } from 'node:crypto';
import type { Dirent, Stats } from 'node:fs';
import { type FileHandle, open, opendir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import type { Observation } from '../../domain/observation.ts';
import { errnoOf, throwIfAborted } from '../../errors.ts';
import { isAbsence, localFailure, noSuchObject, noSuchStore, tooShort } from './errors.ts';
import {
  makeFolders,
  mkdirIfMissing,
  readRange,
  statIfThere,
  syncFolder,
  writeAllDurably,
  writeDurably,
} from './file.ts';
import { Pulled } from '../pulled.ts';
import { QuickRead } from './quick-read.ts';
import type { Store, StoredObject, Writer } from '../store.ts';
import { assertKey, isTemporary, keyOfTemporary } from '../store.ts';

type Range = { readonly offset: number; readonly length: number };

const FOLDERS = ['data', 'index', 'keys', 'locks', 'snapshots'];
/** What restic does not know: proofs, write-ahead logs. */
const OUR_FOLDER = 'respaldo';
/** How many objects of a folder are asked for their size at once while listing. */
const LIST_BATCH = 64;
/** A day: no write of one object lasts so long. */
const LONGEST_WRITE_MS = 24 * 60 * 60 * 1000;
/** In the name of an object that is being written. */
const RANDOM_BYTES = 8;

/**
 * A folder of this machine, laid out as restic does it: a key is a path below the folder.
 *
 * An object is written under a temporary name beside its own, synced, renamed, and its folder synced: whatever
 * happens, a listed object is whole. Files are 0600 and folders 0700, or readable by the group as well where the
 * repository's `config` is (restic's rule for shared repositories).
 */
export class LocalStore implements Store {
  readonly location: string;
  readonly compares = true;
  readonly writesAtOnce = true;
  /** Folders known to exist, and durably so. */
  readonly #folders = new Map<string, Promise<void>>();
  #shared: boolean | undefined;
  readonly #clock: Clock;
  readonly #quick: QuickRead;
  readonly #writer: Writer | undefined;

  /** @param writer by whose marks others see whose unfinished objects these are; absent: they have to wait for a day */
  constructor(folder: string, clock: Clock = systemClock, writer?: Writer) {
    this.location = resolve(folder);
    this.#clock = clock;
    this.#writer = writer;
    this.#quick = new QuickRead(clock);
  }

  async create(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    try {
      await makeFolders(this.location);
      for (const name of FOLDERS) await this.#ensureFolder(join(this.location, name));
      await makePackFolders(join(this.location, 'data'), signal);
    } catch (error) {
      throw localFailure('create', this.location, error);
    }
  }

  async makePlace(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    try {
      await makeFolders(this.location);
    } catch (error) {
      throw localFailure('create', this.location, error);
    }
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject> {
    if (prefix !== '') assertKey(prefix.replace(/\/$/, ''));
    yield* this.#walk(prefix, (name) => !isTemporary(name), signal);
  }

  async stat(key: string, signal: AbortSignal): Promise<StoredObject> {
    throwIfAborted(signal);
    const path = this.localPath(key);
    try {
      const found = await stat(path);
      if (!found.isFile()) throw noSuchObject(path);
      return { key, size: found.size };
    } catch (error) {
      throw isAbsence(error) ? noSuchObject(path) : localFailure('look at', path, error);
    }
  }

  async read(key: string, range: Range | undefined, signal: AbortSignal): Promise<Uint8Array> {
    throwIfAborted(signal);
    const path = this.localPath(key);
    let handle: FileHandle | undefined;
    try {
      const quickly = this.#quick.read(path, range);
      if (quickly !== undefined) return quickly;
      handle = await open(path, 'r');
      const found = await handle.stat();
      if (!found.isFile()) throw noSuchObject(path);
      const { offset, length } = range ?? { offset: 0, length: found.size };
      if (offset + length > found.size) throw tooShort(path, found.size, offset, length);
      const bytes = await readRange(handle, offset, length, signal);
      if (bytes.length < length) throw tooShort(path, offset + bytes.length, offset, length);
      return bytes;
    } catch (error) {
      throw isAbsence(error) ? noSuchObject(path) : localFailure('read', path, error);
    } finally {
      await handle?.close();
    }
  }

  localPath(key: string): string {
    assertKey(key);
    return join(this.location, key);
  }

  write(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return this.#replace(key, (handle, path) => writeDurably(handle, path, bytes, signal), signal);
  }

  async writeStream(key: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
    const pulled = new Pulled(content, signal);
    try {
      return await this.#replace(key, (handle) => writeAllDurably(handle, pulled, signal), signal);
    } catch (error) {
      throw pulled.causeOf(error);
    }
  }

  /** @param fill writes, syncs and closes the file at that path, which then takes the object's place. */
  async #replace<T>(
    key: string,
    fill: (handle: FileHandle, path: string) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    throwIfAborted(signal);
    const path = this.localPath(key);
    const temporary = `${path}-tmp-${randomBytes(RANDOM_BYTES).toString('hex')}${this.#writer?.mark ?? ''}`;
    try {
      const handle = await this.#openNew(temporary);
      let filled: T;
      try {
        filled = await fill(handle, temporary);
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined);
        throw error;
      }
      await syncFolder(dirname(path));
      return filled;
    } catch (error) {
      throw localFailure('write', path, error);
    }
  }

  /** What refers to packs is durably gone before a caller goes on to remove the packs. */
  async remove(key: string, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const path = this.localPath(key);
    try {
      await unlink(path);
      if (!key.startsWith('data/')) await syncFolder(dirname(path));
    } catch (error) {
      if (isAbsence(error)) return;
      throw localFailure('remove', path, error);
    }
  }

  /** Looks only where objects lie: at its top, a disk has folders that nobody else may read. */
  async sweep(signal: AbortSignal, isOurs?: (key: string) => boolean): Promise<void> {
    for (const folder of isOurs === undefined ? [...FOLDERS, OUR_FOLDER].map((name) => `${name}/`) : ['']) {
      for await (const { key } of this.#walk(folder, isTemporary, signal)) {
        if (isOurs?.(keyOfTemporary(key)) !== false) await this.#removeIfLeft(join(this.location, key));
      }
    }
  }

  async *examine(folder: string, signal: AbortSignal): AsyncIterable<Observation> {
    const { observeFolder } = await import('./trial.ts');
    const key = `${folder}probe`;
    await this.write(key, new Uint8Array(1), signal);
    const { mtime } = await stat(this.localPath(key));
    yield* await observeFolder(this.location, { written: mtime, now: this.#clock.now() });
  }

  async removeFolder(key: string, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const path = this.localPath(key);
    try {
      await rmdir(path);
    } catch (error) {
      if (!isAbsence(error) && errnoOf(error) !== 'ENOTEMPTY') throw localFailure('remove', path, error);
    }
    for (const known of this.#folders.keys()) if (known.startsWith(path)) this.#folders.delete(known);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Files with a wanted name, depth first. What vanishes meanwhile is left out. */
  async *#walk(prefix: string, wanted: (name: string) => boolean, signal: AbortSignal): AsyncIterable<StoredObject> {
    const folder = join(this.location, prefix);
    try {
      let batch: Dirent[] = [];
      for await (const entry of await opendir(folder, { bufferSize: LIST_BATCH * 4 })) {
        if (!entry.isDirectory() && !wanted(entry.name)) continue;
        if (batch.push(entry) < LIST_BATCH) continue;
        yield* this.#visit(prefix, batch, wanted, signal);
        batch = [];
      }
      yield* this.#visit(prefix, batch, wanted, signal);
    } catch (error) {
      if (isAbsence(error)) return;
      throw localFailure('list', folder, error);
    }
  }

  async *#visit(
    prefix: string,
    entries: readonly Dirent[],
    wanted: (name: string) => boolean,
    signal: AbortSignal,
  ): AsyncIterable<StoredObject> {
    throwIfAborted(signal);
    const found = await Promise.all(
      entries.map(async (entry) => ({
        entry,
        key: prefix + entry.name,
        stats: entry.isDirectory() ? undefined : await this.#look(join(this.location, prefix, entry.name)),
      })),
    );
    for (const { entry, key, stats } of found) {
      if (stats?.isFile()) yield { key, size: stats.size };
      else if (entry.isDirectory() || (stats?.isDirectory() && mayFollow(key)))
        yield* this.#walk(`${key}/`, wanted, signal);
    }
  }

  #look(path: string): Stats | Promise<Stats | undefined> {
    return this.#quick.look(path) ?? statIfThere(path);
  }

  async #removeIfLeft(path: string): Promise<void> {
    try {
      const { mtimeMs } = await stat(path);
      const isOld = mtimeMs < this.#clock.now().getTime() - LONGEST_WRITE_MS;
      if (isOld || (await this.#writer?.isGone(markOf(path))) === true) await unlink(path);
    } catch (error) {
      if (!isAbsence(error)) throw localFailure('remove', path, error);
    }
  }

  /** Opens a new file for writing. Makes its folder if need be, also when somebody removed it meanwhile. */
  async #openNew(path: string): Promise<FileHandle> {
    const folder = dirname(path);
    await this.#ensureFolder(folder);
    const mode = (await this.#isShared()) ? 0o640 : 0o600;
    return open(path, 'wx', mode).catch(async (error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
      this.#folders.clear();
      await this.#ensureFolder(folder);
      return open(path, 'wx', mode);
    });
  }

  /** Makes a folder below the store's own. That one must exist: a disk that is not mounted must not be written over. */
  #ensureFolder(folder: string): Promise<void> {
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    const made = this.#makeFolder(folder);
    this.#folders.set(folder, made);
    made.catch(() => this.#folders.delete(folder));
    return made;
  }

  async #makeFolder(folder: string): Promise<void> {
    if (folder === this.location) {
      if ((await statIfThere(folder)) === undefined) throw noSuchStore(folder);
      return;
    }
    const parent = dirname(folder);
    await this.#ensureFolder(parent);
    if (await mkdirIfMissing(folder, (await this.#isShared()) ? 0o770 : 0o700)) await syncFolder(parent);
  }

  /** Whether the group may read the repository's `config`: then it may read what is added, too. */
  async #isShared(): Promise<boolean> {
    if (this.#shared !== undefined) return this.#shared;
    const config = await statIfThere(join(this.location, 'config'));
    if (config === undefined) return false;
    this.#shared = (config.mode & 0o040) !== 0;
    return this.#shared;
  }
}

/** Of who writes an object under this name. */
function markOf(temporary: string): string {
  return temporary.slice(temporary.lastIndexOf('-') + 1 + 2 * RANDOM_BYTES);
}

/** Symbolic links to folders are followed where people put them (`data` on another disk), so that none can loop. */
function mayFollow(key: string): boolean {
  return key.split('/').length <= 2;
}

/** `00` … `ff`: made at once, with one sync, so that no write has to. */
async function makePackFolders(data: string, signal: AbortSignal): Promise<void> {
  for (let i = 0; i < 256; i++) {
    throwIfAborted(signal);
    await mkdirIfMissing(join(data, i.toString(16).padStart(2, '0')), 0o700);
  }
  await syncFolder(data);
}
