import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import type { Observation } from '../../domain/observation.ts';
import { RespaldoError, throwIfAborted } from '../../errors.ts';
import { Gate } from '../gate.ts';
import { FOLDERS, LONGEST_WRITE_MS, sweptPrefixes } from '../layout.ts';
import { noSuchObject, tooShort } from '../object-errors.ts';
import { Pulled } from '../pulled.ts';
import type { Store, StoredObject } from '../store.ts';
import { assertKey, isTemporary, keyOfTemporary } from '../store.ts';
import { walk } from '../walk.ts';
import { describeWebDav, encodePath, type WebDavAddress } from './address.ts';
import { readRange, readWhole } from './body.ts';
import type { DavRequest } from './client.ts';
import { absence, davFailure, DavRefusal, isAbsence, mayLackFolder, statusOf } from './errors.ts';
import { DavFiles } from './files.ts';
import type { DavEntry } from './listing.ts';
import { DavSession } from './session.ts';

type Range = { readonly offset: number; readonly length: number };
type Found = { readonly key: string; readonly entry: DavEntry };

export interface WebDavStoreOptions {
  /** Absent: that of the environment. */
  readonly password?: string;
  readonly clock?: Clock;
}

const OPERATIONS = 16;
/** Folders that are asked for their content at once. */
const LIST_BATCH = 8;
/** How often an object is put in the place of one that others replace at the same time. */
const REPLACE_ATTEMPTS = 20;
/** How long what was begun and given up may take to be cleaned up. Milliseconds. */
const CLEANING = 10_000;

/**
 * A folder of a server that speaks WebDAV (RFC 4918), laid out as in a folder of this machine.
 *
 * An object is sent under a temporary name beside its own, looked at for its size, and moved: it appears whole. Nobody
 * can tell when the server has brought it to its disk.
 */
export class WebDavStore implements Store {
  readonly location: string;
  readonly #address: WebDavAddress;
  readonly #session: DavSession;
  readonly #files: DavFiles;
  readonly #clock: Clock;
  readonly #gate = new Gate(OPERATIONS);

  /** @param workingDirectory where a relative path to certificates starts from: an absolute path. */
  constructor(address: WebDavAddress, workingDirectory: string, options: WebDavStoreOptions = {}) {
    this.location = describeWebDav(address);
    this.#address = address;
    this.#session = new DavSession(address, workingDirectory, options.password);
    this.#files = new DavFiles(this.#session, this.#url(''));
    this.#clock = options.clock ?? systemClock;
  }

  create(signal: AbortSignal): Promise<void> {
    return this.#do('create', '', signal, async () => {
      await this.#makeRoot(signal);
      for (const name of FOLDERS) await this.#files.makeFolder(this.#url(name), signal);
    });
  }

  makePlace(signal: AbortSignal): Promise<void> {
    return this.#do('create', '', signal, () => this.#makeRoot(signal));
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject> {
    if (prefix !== '') assertKey(prefix.replace(/\/$/, ''));
    for await (const { key, entry } of this.#walk(prefix, signal)) {
      if (isTemporary(key)) continue;
      yield { key, size: entry.size ?? (await this.stat(key, signal)).size };
    }
  }

  stat(key: string, signal: AbortSignal): Promise<StoredObject> {
    return this.#do('look at', key, signal, async () => ({
      key,
      size: await this.#files.sizeOf(this.#path(key), signal),
    }));
  }

  read(key: string, range: Range | undefined, signal: AbortSignal): Promise<Uint8Array> {
    return this.#do('read', key, signal, async () => {
      const path = this.#path(key);
      if (range?.length === 0) return this.#nothingOf(key, range.offset, signal);
      const headers = {
        'accept-encoding': 'identity',
        ...(range && { range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
      };
      let answer: IncomingMessage;
      try {
        answer = await this.#session.ask({ method: 'GET', path, headers }, range ? [200, 206] : [200], signal);
      } catch (error) {
        if (range === undefined || statusOf(error) !== 416) throw await this.#unlessFolder(error, path, signal);
        throw tooShort(this.#name(key), await this.#files.sizeOf(path, signal), range);
      }
      if (range === undefined) return readWhole(answer, signal);
      const bytes = await readRange(answer, range, signal);
      if (bytes.length < range.length) throw tooShort(this.#name(key), range.offset + bytes.length, range);
      return bytes;
    });
  }

  write(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return this.#do('write', key, signal, async () => {
      const temporary = this.#temporary(key);
      try {
        await this.#inFolder(key, () => this.#files.put(temporary, bytes, signal), signal);
        await this.#bringIn(temporary, key, bytes.length, signal);
      } catch (error) {
        await this.#cleanUp(temporary);
        throw error;
      }
    });
  }

  async writeStream(key: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
    const pulled = new Pulled(content, signal);
    try {
      await this.#do('write', key, signal, async () => {
        const temporary = this.#temporary(key);
        try {
          // A server tells only afterwards that a folder is missing: too late for content that is pulled once.
          await this.#inFolder(key, () => this.#files.put(temporary, new Uint8Array(), signal), signal);
          await this.#files.put(temporary, pulled, signal);
          await this.#bringIn(temporary, key, pulled.size, signal);
        } catch (error) {
          await this.#cleanUp(temporary);
          throw error;
        }
      });
      return pulled.size;
    } catch (error) {
      throw pulled.causeOf(error);
    }
  }

  /** Looks first: asked to delete a folder, a server deletes all that lies in it. */
  remove(key: string, signal: AbortSignal): Promise<void> {
    return this.#do('remove', key, signal, async () => {
      const path = this.#path(key);
      const [entry] = await this.#files.entryIfThere(path, signal);
      if (entry?.isFolder === false) await this.#files.delete(path, signal);
    });
  }

  async sweep(signal: AbortSignal, isOurs?: (key: string) => boolean): Promise<void> {
    const oldest = this.#clock.now().getTime() - LONGEST_WRITE_MS;
    for (const folder of sweptPrefixes(isOurs !== undefined)) {
      for await (const { key, entry } of this.#walk(folder, signal)) {
        if (!isTemporary(key) || entry.modified === undefined || entry.modified.getTime() >= oldest) continue;
        if (isOurs?.(keyOfTemporary(key)) === false) continue;
        await this.#do('remove', key, signal, () => this.#files.delete(this.#url(key), signal));
      }
    }
  }

  async *examine(folder: string, signal: AbortSignal): AsyncIterable<Observation> {
    const { observeWebDav } = await import('./trial.ts');
    const key = `${folder}probe`;
    await this.write(key, new Uint8Array(10), signal);
    yield* await this.#do('try', '', signal, async () => {
      const ask = (request: Omit<DavRequest, 'path'>, wanted: readonly number[]) =>
        this.#session.ask({ ...request, path: this.#path(key) }, wanted, signal);
      const [place] = await this.#files.entries(this.#url(''), '0', signal);
      return observeWebDav({
        secure: this.#address.secure,
        host: this.#address.host,
        place,
        ask,
        now: () => this.#clock.now(),
      });
    });
  }

  /** Of an empty folder. One at the top stays: others may be writing into it just now, and it would all be deleted. */
  removeFolder(key: string, signal: AbortSignal): Promise<void> {
    return this.#do('remove', key, signal, async () => {
      const path = this.#path(key);
      if (!key.includes('/')) return;
      const found = await this.#files.entriesIfThere(path, '1', signal);
      if (found.length === 1 && found[0]?.isFolder === true) await this.#files.delete(`${path}/`, signal);
    });
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #walk(prefix: string, signal: AbortSignal): AsyncIterable<Found> {
    const kindOf = ({ entry }: Found) => (entry.isFolder ? 'folder' : 'file');
    return walk(prefix, { atOnce: LIST_BATCH, content: (folder) => this.#content(folder, signal), kindOf }, signal);
  }

  /** What lies in a folder; nothing where there is none. */
  #content(prefix: string, signal: AbortSignal): Promise<Found[]> {
    return this.#do('list', prefix, signal, async () => {
      const [self, ...entries] = await this.#files.entriesIfThere(this.#url(prefix), '1', signal);
      if (self?.isFolder !== true) return [];
      return entries.map((entry) => ({ key: prefix + entry.path.slice(entry.path.lastIndexOf('/') + 1), entry }));
    });
  }

  /** No bytes, where even those are there to be read: the protocol has no range without bytes. */
  async #nothingOf(key: string, offset: number, signal: AbortSignal): Promise<Uint8Array> {
    const size = await this.#files.sizeOf(this.#path(key), signal);
    if (offset > size) throw tooShort(this.#name(key), size, { offset, length: 0 });
    return new Uint8Array();
  }

  /** What it means that a file could not be read: servers refuse to show folders in many ways. */
  async #unlessFolder(error: unknown, path: string, signal: AbortSignal): Promise<unknown> {
    if (!(error instanceof DavRefusal) || isAbsence(error) || error.status === 401 || error.status >= 500) return error;
    const [entry] = await this.#files.entryIfThere(path, signal);
    return entry === undefined || entry.isFolder ? absence() : error;
  }

  /** Makes the folders of a key where they are missing, once something has failed. The store's own must exist. */
  async #inFolder(key: string, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await work();
    } catch (error) {
      const folders = key.split('/').slice(0, -1);
      if (!mayLackFolder(error) || (await this.#isThere(folders.join('/'), signal))) throw error;
      if (!(await this.#isThere('', signal))) throw this.#noSuchStore();
      for (const at of folders.keys())
        await this.#files.makeFolder(this.#url(folders.slice(0, at + 1).join('/')), signal);
      await work();
    }
  }

  async #isThere(folder: string, signal: AbortSignal): Promise<boolean> {
    const [entry] = await this.#files.entryIfThere(this.#url(folder), signal);
    return entry?.isFolder === true;
  }

  /** Puts what was sent in the place of the object, once it is as large as it has to be. */
  async #bringIn(temporary: string, key: string, size: number, signal: AbortSignal): Promise<void> {
    const stored = await this.#files.sizeOf(temporary, signal);
    if (stored !== size) throw new Error(`the server kept ${stored} of ${size} bytes`);
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#files.move(temporary, this.#path(key), signal);
        return;
      } catch (error) {
        if (!(error instanceof DavRefusal) || attempt === REPLACE_ATTEMPTS) throw error;
        // Others replace it at the same time, or a proxy has asked twice.
        if ((await this.#files.entryIfThere(temporary, signal)).length === 0) throw error;
      }
    }
  }

  async #cleanUp(temporary: string): Promise<void> {
    await this.#files.delete(temporary, AbortSignal.timeout(CLEANING)).catch(() => undefined);
  }

  /** Makes the store's own folder and those above it. */
  async #makeRoot(signal: AbortSignal): Promise<void> {
    if ((await this.#files.entryIfThere(this.#url(''), signal)).length > 0) return;
    const parts = this.#address.folder.split('/').slice(1);
    for (const at of parts.keys()) {
      const path = `/${parts
        .slice(0, at + 1)
        .map(encodeURIComponent)
        .join('/')}`;
      await this.#files.makeFolder(path, signal).catch((error: unknown) => {
        // Those above may be out of reach, and be there all the same.
        if (at === parts.length - 1 || !(error instanceof DavRefusal)) throw error;
      });
    }
  }

  /** Runs an operation under the rules for errors. */
  async #do<T>(doing: string, key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    throwIfAborted(signal);
    return this.#gate.pass(signal, async () => {
      try {
        return await work();
      } catch (error) {
        throwIfAborted(signal);
        throw isAbsence(error) ? noSuchObject(this.#name(key)) : davFailure(doing, this.#name(key), error);
      }
    });
  }

  /** Of an object, or of what lies at a key: as a URL has it. */
  #path(key: string): string {
    assertKey(key);
    return this.#url(key);
  }

  /** @param below a key, a prefix that ends in a slash, or nothing. */
  #url(below: string): string {
    return `${encodePath(this.#address.folder)}/${encodePath(below)}`;
  }

  #temporary(key: string): string {
    return `${this.#path(key)}-tmp-${randomBytes(8).toString('hex')}`;
  }

  #name(key: string): string {
    return key === '' ? this.location : `${key} in ${this.location}`;
  }

  #noSuchStore(): RespaldoError {
    return new RespaldoError('store-missing', `there is no folder ${this.location}`, {
      hint: 'Is the path right? `respaldo init` makes a new repository.',
    });
  }
}
