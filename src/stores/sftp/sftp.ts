import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path/posix';
import type { Stats } from 'ssh2';

import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import type { Observation } from '../../domain/observation.ts';
import { RespaldoError, throwIfAborted } from '../../errors.ts';
import { Flight } from '../flight.ts';
import { Gate } from '../gate.ts';
import { FOLDERS, LONGEST_WRITE_MS, mayFollow, PACK_FOLDERS, sweptPrefixes } from '../layout.ts';
import { noSuchObject, tooShort } from '../object-errors.ts';
import { Pulled } from '../pulled.ts';
import { describeSftp, type SftpAddress } from './address.ts';
import type { SftpConnection } from './connection.ts';
import { isAbsence, isUnexplained, serverFull, sftpFailure } from './errors.ts';
import {
  CLEANING,
  STREAM_WINDOW,
  letGo,
  makeFolder,
  makeFolders,
  openFile,
  readFolder,
  readRange,
  removeEmptyFolder,
  removeIfThere,
  replaceFile,
  statIfThere,
  syncFolder,
  writeDurably,
  writeStreamDurably,
} from './file.ts';
import { SftpSession } from './session.ts';
import type { Store, StoredObject } from '../store.ts';
import { assertKey, isTemporary, keyOfTemporary } from '../store.ts';
import { untilAborted } from '../until-aborted.ts';
import { walk } from '../walk.ts';

type Range = { readonly offset: number; readonly length: number };
/** Writes a new file, durably, and closes it. */
type Fill = (connection: SftpConnection, handle: Buffer) => Promise<void>;
type Found = { readonly key: string; readonly stats: Stats };

/** Servers limit how many files one session may hold open. */
const OPERATIONS = 16;
/** Folders that are asked for their content at once. */
const LIST_BATCH = 16;

/**
 * A folder of a server that speaks SFTP, laid out as restic does it.
 *
 * An object is written under a temporary name beside its own, synced where the server can, and renamed. Files are 0600
 * and folders 0700, or readable by the group as well where the repository's `config` is.
 */
export class SftpStore implements Store {
  readonly location: string;
  readonly #address: SftpAddress;
  readonly #session: SftpSession;
  readonly #clock: Clock;
  readonly #gate = new Gate(OPERATIONS);
  #shared: boolean | undefined;

  /** @param workingDirectory where relative paths to keys start from: an absolute path. */
  constructor(address: SftpAddress, workingDirectory: string, clock: Clock = systemClock) {
    this.location = describeSftp(address);
    this.#address = address;
    this.#session = new SftpSession(address, workingDirectory);
    this.#clock = clock;
  }

  create(signal: AbortSignal): Promise<void> {
    return this.#do('create', '', signal, async (connection) => {
      const { folder } = this.#address;
      await makeFolders(connection, folder, signal);
      for (const name of FOLDERS) await makeFolder(connection, join(folder, name), 0o700, signal);
      const data = join(folder, 'data');
      const there = new Set((await readFolder(connection, data, signal)).map(({ filename }) => filename));
      const missing = PACK_FOLDERS.filter((name) => !there.has(name));
      for (let at = 0; at < missing.length; at += 64) {
        await Promise.all(
          missing.slice(at, at + 64).map((name) =>
            connection.ask<void>(signal, (sftp, done) => {
              sftp.mkdir(join(data, name), { mode: 0o700 }, done);
            }),
          ),
        );
      }
      if (missing.length > 0) await syncFolder(connection, data, signal);
    });
  }

  makePlace(signal: AbortSignal): Promise<void> {
    return this.#do('create', '', signal, (connection) => makeFolders(connection, this.#address.folder, signal));
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject> {
    if (prefix !== '') assertKey(prefix.replace(/\/$/, ''));
    for await (const { key, stats } of this.#walk(prefix, signal)) {
      if (!isTemporary(key)) yield { key, size: stats.size };
    }
  }

  stat(key: string, signal: AbortSignal): Promise<StoredObject> {
    return this.#do('look at', key, signal, async (connection) => {
      const stats = await statIfThere(connection, this.#path(key), signal);
      if (!stats?.isFile()) throw noSuchObject(this.#name(key));
      return { key, size: stats.size };
    });
  }

  read(key: string, range: Range | undefined, signal: AbortSignal): Promise<Uint8Array> {
    return this.#do('read', key, signal, async (connection) => {
      const handle = await openFile(connection, this.#path(key), 'r', signal);
      try {
        const stats = await connection.ask<Stats>(signal, (sftp, done) => {
          sftp.fstat(handle, done);
        });
        if (!stats.isFile()) throw noSuchObject(this.#name(key));
        const { offset, length } = range ?? { offset: 0, length: stats.size };
        if (offset + length > stats.size) throw tooShort(this.#name(key), stats.size, { offset, length });
        const bytes = await readRange(connection, handle, offset, length, signal);
        if (bytes.length < length) throw tooShort(this.#name(key), offset + bytes.length, { offset, length });
        return bytes;
      } finally {
        letGo(connection, handle);
      }
    });
  }

  write(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const fill: Fill = (connection, handle) => writeDurably(connection, handle, bytes, signal);
    return this.#replace(key, fill, bytes.length, signal);
  }

  async writeStream(key: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
    const flight = new Flight(signal);
    const pulled = new Pulled(content, flight.signal);
    try {
      const fill: Fill = (connection, handle) => writeStreamDurably(connection, handle, pulled, flight);
      await this.#replace(key, fill, STREAM_WINDOW, signal);
      return pulled.size;
    } catch (error) {
      throw pulled.causeOf(error);
    }
  }

  /** What refers to packs is durably gone before a caller goes on to remove the packs. */
  remove(key: string, signal: AbortSignal): Promise<void> {
    return this.#do('remove', key, signal, async (connection) => {
      const path = this.#path(key);
      const removed = await removeIfThere(connection, path, signal);
      if (removed && !key.startsWith('data/')) await syncFolder(connection, dirname(path), signal);
    });
  }

  async sweep(signal: AbortSignal, isOurs?: (key: string) => boolean): Promise<void> {
    const oldest = (this.#clock.now().getTime() - LONGEST_WRITE_MS) / 1000;
    for (const folder of sweptPrefixes(isOurs !== undefined)) {
      for await (const { key, stats } of this.#walk(folder, signal)) {
        if (!isTemporary(key) || stats.mtime >= oldest || isOurs?.(keyOfTemporary(key)) === false) continue;
        const path = join(this.#address.folder, key);
        await this.#do('remove', key, signal, (connection) => removeIfThere(connection, path, signal));
      }
    }
  }

  async *examine(folder: string, signal: AbortSignal): AsyncIterable<Observation> {
    const { observeSftp } = await import('./trial.ts');
    const key = `${folder}probe`;
    await this.write(key, new Uint8Array(1), signal);
    const now = this.#clock.now();
    yield* await this.#do('try', '', signal, async (connection) => {
      const written = await statIfThere(connection, this.#path(key), signal);
      if (written === undefined) throw noSuchObject(this.#name(key));
      const times = { written: new Date(written.mtime * 1000), now };
      return observeSftp(connection, this.#address.folder, times, signal);
    });
  }

  removeFolder(key: string, signal: AbortSignal): Promise<void> {
    return this.#do('remove', key, signal, (connection) => removeEmptyFolder(connection, this.#path(key), signal));
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  /** Fills a new file and puts it in the place of the object. @param missing bytes that a full disk has no room for. */
  #replace(key: string, fill: Fill, missing: number, signal: AbortSignal): Promise<void> {
    return this.#do('write', key, signal, async (connection) => {
      const path = this.#path(key);
      const temporary = `${path}-tmp-${randomBytes(8).toString('hex')}`;
      try {
        await fill(connection, await this.#openNew(connection, key, temporary, signal));
        await replaceFile(connection, temporary, path, signal);
      } catch (error) {
        const isFull = await this.#isFull(connection, missing, error);
        await this.#removeLeft(connection, temporary).catch(() => undefined);
        throw isFull ? serverFull(this.#name(key), error) : error;
      }
      await syncFolder(connection, dirname(path), signal);
    });
  }

  /** What broke a connection has not always taken the server away: where it answers anew, nothing has to lie there for a day. */
  async #removeLeft(connection: SftpConnection, path: string): Promise<void> {
    const signal = AbortSignal.timeout(CLEANING);
    const current = connection.lost ? await untilAborted(this.#session.connection(), signal) : connection;
    await removeIfThere(current, path, signal);
  }

  #walk(prefix: string, signal: AbortSignal): AsyncIterable<Found> {
    const kindOf = ({ stats }: Found) => (stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : undefined);
    return walk(prefix, { atOnce: LIST_BATCH, content: (folder) => this.#entries(folder, signal), kindOf }, signal);
  }

  #entries(prefix: string, signal: AbortSignal): Promise<Found[]> {
    return this.#do('list', prefix, signal, async (connection) => {
      const path = join(this.#address.folder, prefix);
      const found: Found[] = [];
      for (const { filename, attrs } of await readFolder(connection, path, signal)) {
        const key = prefix + filename;
        const linked = attrs.isSymbolicLink() && mayFollow(key);
        const stats = linked ? await statIfThere(connection, join(path, filename), signal) : attrs;
        if (stats !== undefined) found.push({ key, stats });
      }
      return found;
    });
  }

  /** Opens a new file for writing; makes its folder if need be. The store's own must exist. */
  async #openNew(connection: SftpConnection, key: string, path: string, signal: AbortSignal): Promise<Buffer> {
    const shared = await this.#isShared(connection, signal);
    const open = () => openFile(connection, path, 'wx', signal, shared ? 0o640 : 0o600);
    try {
      return await open();
    } catch (error) {
      if (!isAbsence(error)) throw error;
      const { folder } = this.#address;
      if ((await statIfThere(connection, folder, signal)) === undefined) throw this.#noSuchStore();
      const below = key.split('/').slice(0, -1);
      for (const at of below.keys()) {
        await makeFolder(connection, join(folder, ...below.slice(0, at + 1)), shared ? 0o770 : 0o700, signal);
      }
      return open();
    }
  }

  /** Whether the group may read the repository's `config`: then it may read what is added, too. */
  async #isShared(connection: SftpConnection, signal: AbortSignal): Promise<boolean> {
    if (this.#shared !== undefined) return this.#shared;
    const config = await statIfThere(connection, join(this.#address.folder, 'config'), signal);
    if (config === undefined) return false;
    return (this.#shared = (config.mode & 0o040) !== 0);
  }

  /** The protocol has no word for a full disk; OpenSSH's tells how much is left. */
  async #isFull(connection: SftpConnection, size: number, error: unknown): Promise<boolean> {
    if (!isUnexplained(error) || !connection.offers('statvfs@openssh.com')) return false;
    const space = connection.ask<{ f_frsize: number; f_bavail: number }>(
      AbortSignal.timeout(CLEANING),
      (sftp, done) => {
        sftp.ext_openssh_statvfs(this.#address.folder, done);
      },
    );
    return space.then(
      ({ f_frsize, f_bavail }) => f_frsize * f_bavail < size,
      () => false,
    );
  }

  /** Runs an operation, with a connection, under the rules for errors. */
  async #do<T>(
    doing: string,
    key: string,
    signal: AbortSignal,
    work: (connection: SftpConnection) => Promise<T>,
  ): Promise<T> {
    throwIfAborted(signal);
    return this.#gate.pass(signal, async () => {
      const connection = await untilAborted(this.#session.connection(), signal);
      try {
        return await work(connection);
      } catch (error) {
        throw isAbsence(error) ? noSuchObject(this.#name(key)) : sftpFailure(doing, this.#name(key), error);
      }
    });
  }

  #path(key: string): string {
    assertKey(key);
    return join(this.#address.folder, key);
  }

  #name(key: string): string {
    return key === '' ? this.location : `${key} in ${this.location}`;
  }

  #noSuchStore(): RespaldoError {
    return new RespaldoError('store-missing', `there is no folder ${this.location}`, {
      hint: 'Is its disk mounted there, and the path right? `respaldo init` makes a new repository.',
    });
  }
}
