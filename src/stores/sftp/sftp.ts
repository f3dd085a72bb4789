import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path/posix';
import type { Stats } from 'ssh2';

import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import type { Observation } from '../../domain/observation.ts';
import { RespaldoError, throwIfAborted } from '../../errors.ts';
import { Flight } from '../flight.ts';
import { Gate } from '../gate.ts';
import { Pulled } from '../pulled.ts';
import { describeSftp, type SftpAddress } from './address.ts';
import { SftpConnection } from './connection.ts';
import { isAbsence, isUnexplained, loginFailure, serverFull, sftpFailure } from './errors.ts';
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
import { prepareLogin } from './login.ts';
import type { Store, StoredObject } from '../store.ts';
import { assertKey, isTemporary, keyOfTemporary } from '../store.ts';
import { untilAborted } from '../until-aborted.ts';

type Range = { readonly offset: number; readonly length: number };
/** Writes a new file, durably, and closes it. */
type Fill = (connection: SftpConnection, handle: Buffer) => Promise<void>;
type Found = { readonly key: string; readonly stats: Pick<Stats, 'size' | 'mtime'> };

const FOLDERS = ['data', 'index', 'keys', 'locks', 'snapshots'];
/** What restic does not know: proofs, write-ahead logs. */
const OUR_FOLDER = 'respaldo';
/** Servers limit how many files one session may hold open. */
const OPERATIONS = 16;
/** Folders that are asked for their content at once. */
const LIST_BATCH = 16;
/** A day: no write of one object lasts so long. */
const LONGEST_WRITE_S = 24 * 60 * 60;

/**
 * A folder of a server that speaks SFTP, laid out as restic does it.
 *
 * One connection, made when it is first needed and anew when it was lost. An object is written under a temporary name
 * beside its own, synced where the server can, and renamed. Files are 0600 and folders 0700, or readable by the group
 * as well where the repository's `config` is.
 */
export class SftpStore implements Store {
  readonly location: string;
  readonly #address: SftpAddress;
  readonly #workingDirectory: string;
  readonly #clock: Clock;
  readonly #gate = new Gate(OPERATIONS);
  #connection: Promise<SftpConnection> | undefined;
  #open = new AbortController();
  #shared: boolean | undefined;

  /** @param workingDirectory where relative paths to keys start from: an absolute path. */
  constructor(address: SftpAddress, workingDirectory: string, clock: Clock = systemClock) {
    this.location = describeSftp(address);
    this.#address = address;
    this.#workingDirectory = workingDirectory;
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
      if (!stats?.isFile()) throw this.#noSuchObject(key);
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
        if (!stats.isFile()) throw this.#noSuchObject(key);
        const { offset, length } = range ?? { offset: 0, length: stats.size };
        if (offset + length > stats.size) throw this.#tooShort(key, stats.size, offset, length);
        const bytes = await readRange(connection, handle, offset, length, signal);
        if (bytes.length < length) throw this.#tooShort(key, offset + bytes.length, offset, length);
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
    const oldest = this.#clock.now().getTime() / 1000 - LONGEST_WRITE_S;
    for (const folder of isOurs === undefined ? [...FOLDERS, OUR_FOLDER].map((name) => `${name}/`) : ['']) {
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
      if (written === undefined) throw this.#noSuchObject(key);
      const times = { written: new Date(written.mtime * 1000), now };
      return observeSftp(connection, this.#address.folder, times, signal);
    });
  }

  removeFolder(key: string, signal: AbortSignal): Promise<void> {
    return this.#do('remove', key, signal, (connection) => removeEmptyFolder(connection, this.#path(key), signal));
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#open.abort();
    this.#open = new AbortController();
    await (await connection?.catch(() => undefined))?.end();
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
        await removeIfThere(connection, temporary, AbortSignal.timeout(CLEANING)).catch(() => undefined);
        throw isFull ? serverFull(this.#name(key), error) : error;
      }
      await syncFolder(connection, dirname(path), signal);
    });
  }

  /** All files below a prefix, level by level, several folders at a time. */
  async *#walk(prefix: string, signal: AbortSignal): AsyncIterable<Found> {
    let level = [prefix];
    while (level.length > 0) {
      const deeper: string[] = [];
      for (let at = 0; at < level.length; at += LIST_BATCH) {
        const batch = level.slice(at, at + LIST_BATCH);
        for (const { key, stats } of (await Promise.all(batch.map((folder) => this.#entries(folder, signal)))).flat()) {
          throwIfAborted(signal);
          if (stats.isFile()) yield { key, stats };
          else if (stats.isDirectory()) deeper.push(`${key}/`);
        }
      }
      level = deeper;
    }
  }

  #entries(prefix: string, signal: AbortSignal): Promise<{ key: string; stats: Stats }[]> {
    return this.#do('list', prefix, signal, async (connection) => {
      const path = join(this.#address.folder, prefix);
      const found: { key: string; stats: Stats }[] = [];
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
      const connection = await untilAborted(this.#connect(), signal);
      try {
        return await work(connection);
      } catch (error) {
        throw isAbsence(error) ? this.#noSuchObject(key) : sftpFailure(doing, this.#name(key), error);
      }
    });
  }

  /** The connection, made anew where it was lost. Who comes meanwhile waits for the same one. */
  async #connect(): Promise<SftpConnection> {
    const current = (this.#connection ??= this.#login());
    try {
      const connection = await current;
      if (!connection.lost) return connection;
    } catch (error) {
      if (this.#connection === current) this.#connection = undefined;
      throw error;
    }
    if (this.#connection === current) this.#connection = undefined;
    return this.#connect();
  }

  async #login(): Promise<SftpConnection> {
    const { signal } = this.#open;
    const login = await prepareLogin(this.#address, this.#workingDirectory);
    try {
      return await SftpConnection.open(login.config, signal);
    } catch (error) {
      throw loginFailure(this.location, login, error);
    }
  }

  #path(key: string): string {
    assertKey(key);
    return join(this.#address.folder, key);
  }

  #name(key: string): string {
    return key === '' ? this.location : `${key} in ${this.location}`;
  }

  #noSuchObject(key: string): RespaldoError {
    return new RespaldoError('store-missing', `there is no ${this.#name(key)}`);
  }

  #noSuchStore(): RespaldoError {
    return new RespaldoError('store-missing', `there is no folder ${this.location}`, {
      hint: 'Is its disk mounted there, and the path right? `respaldo init` makes a new repository.',
    });
  }

  #tooShort(key: string, size: number, offset: number, length: number): RespaldoError {
    return new RespaldoError(
      'store-broken',
      `${this.#name(key)} is too short: it has ${size} bytes, ${length} were asked for from ${offset}`,
      { hint: '`respaldo check` tells what else is damaged.' },
    );
  }
}

/** `00` … `ff` */
const PACK_FOLDERS = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

/** Symbolic links to folders are followed where people put them (`data` on another disk), so that none can loop. */
function mayFollow(key: string): boolean {
  return key.split('/').length <= 2;
}
