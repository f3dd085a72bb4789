import { hash, randomBytes } from 'node:crypto';
import { open, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Clock } from '../clock.ts';
import { errnoOf } from '../errors.ts';
import { makeFolders } from './local/file.ts';
import { isTemporary } from './store.ts';

const KEPT = /^(?:data\/[0-9a-f]{2}|index|snapshots)\/[0-9a-f]{64}$/;
/** A day: no write of one file lasts so long. */
const LONGEST_WRITE_MS = 24 * 60 * 60 * 1000;

/** Whether this is the key of an object that has the hash of its content as its name, and is worth keeping. */
export function canBeKept(key: string): boolean {
  return KEPT.test(key);
}

/**
 * The cache of one repository: objects as they lie in the store, one a file, laid out as restic does it, so that both
 * may share a cache (`index/ab/abcd…`, `data/ab/abcd…`). Nothing here ever fails its caller: what cannot be read is
 * not there, and the first file that cannot be written is the last that was tried.
 */
export class CacheFolder {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #onProblem: (error: unknown) => void;
  #isWritable = true;

  /** @param onProblem told of the first file that could not be written */
  constructor(folder: string, clock: Clock, onProblem: (error: unknown) => void) {
    this.#folder = folder;
    this.#clock = clock;
    this.#onProblem = onProblem;
  }

  /** False once a file could not be written. */
  get isWritable(): boolean {
    return this.#isWritable;
  }

  pathOf(key: string): string {
    const slash = key.lastIndexOf('/');
    const [folder = ''] = key.split('/');
    return join(this.#folder, folder, key.slice(slash + 1, slash + 3), key.slice(slash + 1));
  }

  /** The whole object, verified against its name. A file with any other content is removed. */
  async load(key: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#read(key);
    if (bytes === undefined || isNamedBy(bytes, key)) return bytes;
    await this.drop(key);
    return undefined;
  }

  /** A part of an object that was loaded or kept before, in a buffer of its own; not verified again. */
  part(key: string, range: { readonly offset: number; readonly length: number }): Promise<Uint8Array | undefined> {
    return this.#read(key, range);
  }

  /**
   * Keeps the object if its content is what its name says. Whole or not at all, but not synced: whoever loads it will
   * see what it is.
   * @returns whether it is kept
   */
  async keep(key: string, bytes: Uint8Array): Promise<boolean> {
    if (!this.#isWritable || !isNamedBy(bytes, key)) return false;
    const path = this.pathOf(key);
    const temporary = `${path}-tmp-${randomBytes(8).toString('hex')}`;
    try {
      await this.#writeNew(temporary, bytes);
      await rename(temporary, path);
      return true;
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      this.#giveUp(error);
      return false;
    }
  }

  async drop(key: string): Promise<void> {
    await unlink(this.pathOf(key)).catch(() => undefined);
  }

  /** Drops what is kept in a folder (`data/`) and not wanted, and what killed processes left there. */
  async retain(folder: string, isWanted: (key: string) => boolean): Promise<void> {
    for (const part of await namesIn(join(this.#folder, folder))) {
      for (const name of await namesIn(join(this.#folder, folder, part))) {
        const key = folder === 'data/' ? `data/${part}/${name}` : folder + name;
        if (canBeKept(key) && !isWanted(key)) await this.drop(key);
        if (isTemporary(name)) await this.#removeIfOld(join(this.#folder, folder, part, name));
      }
    }
  }

  /** Undefined where there is no such file, or it is too short. */
  async #read(
    key: string,
    range?: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array | undefined> {
    try {
      await using file = await open(this.pathOf(key), 'r');
      const { offset, length } = range ?? { offset: 0, length: (await file.stat()).size };
      const bytes = new Uint8Array(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset);
      return bytesRead === length ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  #giveUp(error: unknown): void {
    if (this.#isWritable) this.#onProblem(error);
    this.#isWritable = false;
  }

  async #writeNew(path: string, bytes: Uint8Array): Promise<void> {
    const options = { mode: 0o600, flag: 'wx' };
    await writeFile(path, bytes, options).catch(async (error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await makeFolders(dirname(path));
      await writeFile(path, bytes, options);
    });
  }

  async #removeIfOld(path: string): Promise<void> {
    try {
      const { mtimeMs } = await stat(path);
      if (mtimeMs < this.#clock.now().getTime() - LONGEST_WRITE_MS) await unlink(path);
    } catch {
      // Somebody else has removed it.
    }
  }
}

function isNamedBy(bytes: Uint8Array, key: string): boolean {
  return hash('sha256', bytes, 'hex') === key.slice(key.lastIndexOf('/') + 1);
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
