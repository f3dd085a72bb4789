/** Files through an SFTP connection. What waits for the network is asked for together. */
import { dirname } from 'node:path/posix';
import type { FileEntryWithStats, Stats } from 'ssh2';

import type { Flight } from '../flight.ts';
import { isAbsence, isUnexplained } from './errors.ts';
import type { SftpConnection } from './connection.ts';

/** Every server takes this much in one request. Bytes. */
const PIECE = 30 * 1024;
/** Requests on their way at once for one file: together they fill OpenSSH's window of 2 MiB. */
const IN_FLIGHT = 64;
/** More than what is on its way at once. Bytes. */
export const STREAM_WINDOW = 2 * IN_FLIGHT * PIECE;
/** How often a file is put in the place of one that others replace at the same time. */
const REPLACE_ATTEMPTS = 20;
/** How long what was begun and given up may take to be cleaned up. Milliseconds. */
export const CLEANING = 5000;

export function openFile(
  connection: SftpConnection,
  path: string,
  flags: 'r' | 'wx',
  signal: AbortSignal,
  mode = 0o600,
): Promise<Buffer> {
  return connection.ask<Buffer>(signal, (sftp, done) => {
    sftp.open(path, flags, { mode }, done);
  });
}

function closeFile(connection: SftpConnection, handle: Buffer, signal: AbortSignal): Promise<void> {
  return connection.ask(signal, (sftp, done) => {
    sftp.close(handle, done);
  });
}

export async function statIfThere(
  connection: SftpConnection,
  path: string,
  signal: AbortSignal,
): Promise<Stats | undefined> {
  try {
    return await connection.ask<Stats>(signal, (sftp, done) => {
      sftp.stat(path, done);
    });
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** What lies in a folder; nothing where there is none. */
export async function readFolder(
  connection: SftpConnection,
  path: string,
  signal: AbortSignal,
): Promise<FileEntryWithStats[]> {
  try {
    return await connection.ask<FileEntryWithStats[]>(signal, (sftp, done) => {
      sftp.readdir(path, done);
    });
  } catch (error) {
    if (isAbsence(error)) return [];
    // Some servers say no more than "failure" of a file that is asked for its content as a folder.
    if (isUnexplained(error) && !(await statIfThere(connection, path, signal))?.isDirectory()) return [];
    throw error;
  }
}

/** Fewer bytes than `length` only if the file ends there. They have an ArrayBuffer of their own. */
export async function readRange(
  connection: SftpConnection,
  handle: Buffer,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const buffer = Buffer.from(bytes.buffer);
  let end = length;
  await inPieces(length, async (start, size) => {
    for (let done = 0; done < size;) {
      const got = await connection.ask<number>(signal, (sftp, answer) => {
        sftp.read(handle, buffer, start + done, size - done, offset + start + done, answer);
      });
      if (got === 0) {
        end = Math.min(end, start + done);
        return;
      }
      done += got;
    }
  });
  return end === length ? bytes : bytes.slice(0, end);
}

/** Writes everything, syncs where the server can, and closes. */
export async function writeDurably(
  connection: SftpConnection,
  handle: Buffer,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    await inPieces(bytes.length, (start, size) =>
      connection.ask<void>(signal, (sftp, done) => {
        sftp.write(handle, buffer, start, size, start, done);
      }),
    );
    if (connection.offers('fsync@openssh.com')) await sync(connection, handle, signal);
  } catch (error) {
    letGo(connection, handle);
    throw error;
  }
  await closeFile(connection, handle, signal);
}

/** The same for content that comes piece by piece, as fast as the server takes it. */
export async function writeStreamDurably(
  connection: SftpConnection,
  handle: Buffer,
  content: AsyncIterable<Uint8Array>,
  flight: Flight,
): Promise<void> {
  let end = 0;
  const send = async (piece: Buffer): Promise<void> => {
    for (let start = 0; start < piece.length; start += PIECE) {
      const size = Math.min(PIECE, piece.length - start);
      const at = end;
      end += size;
      await flight.begin(IN_FLIGHT, () =>
        connection.ask<void>(flight.signal, (sftp, done) => {
          sftp.write(handle, piece, start, size, at, done);
        }),
      );
    }
  };
  try {
    for await (const { buffer, byteOffset, byteLength } of content)
      await send(Buffer.from(buffer, byteOffset, byteLength));
    await flight.landed();
    if (connection.offers('fsync@openssh.com')) await sync(connection, handle, flight.signal);
  } catch (error) {
    await flight.end();
    letGo(connection, handle);
    throw flight.causeOf(error);
  }
  await closeFile(connection, handle, flight.signal);
}

/**
 * Puts `from` in the place of `to`. Servers without OpenSSH's extension refuse to replace; there the old object is moved
 * away for a moment, and back if the new one cannot take its place. Others may be doing the same.
 */
export async function replaceFile(
  connection: SftpConnection,
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  if (connection.offers('posix-rename@openssh.com')) {
    await connection.ask(signal, (sftp, done) => {
      sftp.ext_openssh_rename(from, to, done);
    });
    return;
  }
  const old = `${from}0`;
  for (let attempt = 1; ; attempt++) {
    try {
      await renameFile(connection, from, to, signal);
      break;
    } catch (error) {
      await renameFile(connection, old, to, AbortSignal.timeout(CLEANING)).catch(() => undefined);
      if (!isUnexplained(error) || attempt === REPLACE_ATTEMPTS) throw error;
    }
    await removeIfThere(connection, old, signal);
    await renameFile(connection, to, old, signal).catch((error: unknown) => {
      if (!isAbsence(error)) throw error;
    });
  }
  await removeIfThere(connection, old, signal);
}

/** @returns whether it was there. */
export async function removeIfThere(connection: SftpConnection, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    await connection.ask<void>(signal, (sftp, done) => {
      sftp.unlink(path, done);
    });
    return true;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

/** Removes a folder that is there and has nothing in it. The protocol has no word for one that has. */
export async function removeEmptyFolder(connection: SftpConnection, path: string, signal: AbortSignal): Promise<void> {
  try {
    await connection.ask<void>(signal, (sftp, done) => {
      sftp.rmdir(path, done);
    });
  } catch (error) {
    if (!isAbsence(error) && !isUnexplained(error)) throw error;
  }
}

/** Makes the names in a folder durable, where the server lets us: OpenSSH's opens folders like files. */
export async function syncFolder(connection: SftpConnection, folder: string, signal: AbortSignal): Promise<void> {
  if (!connection.syncsFolders || !connection.offers('fsync@openssh.com')) return;
  let handle: Buffer | undefined;
  try {
    handle = await openFile(connection, folder, 'r', signal);
    await sync(connection, handle, signal);
  } catch (error) {
    if (!isUnexplained(error)) throw error;
    connection.syncsFolders = false;
  } finally {
    if (handle !== undefined) letGo(connection, handle);
  }
}

/** Makes a folder and those above it. */
export async function makeFolders(connection: SftpConnection, folder: string, signal: AbortSignal): Promise<void> {
  try {
    await makeFolder(connection, folder, 0o700, signal);
  } catch (error) {
    const parent = dirname(folder);
    if (!isAbsence(error) || parent === folder) throw error;
    await makeFolders(connection, parent, signal);
    await makeFolder(connection, folder, 0o700, signal);
  }
}

/** No error if it is there already. */
export async function makeFolder(
  connection: SftpConnection,
  folder: string,
  mode: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    await connection.ask<void>(signal, (sftp, done) => {
      sftp.mkdir(folder, { mode }, done);
    });
  } catch (error) {
    if (isAbsence(error) || !(await statIfThere(connection, folder, signal))?.isDirectory()) throw error;
    return;
  }
  await syncFolder(connection, dirname(folder), signal);
}

/** Closes without waiting for the answer, where nothing depends on it. */
export function letGo(connection: SftpConnection, handle: Buffer): void {
  closeFile(connection, handle, new AbortController().signal).catch(() => undefined);
}

function renameFile(connection: SftpConnection, from: string, to: string, signal: AbortSignal): Promise<void> {
  return connection.ask(signal, (sftp, done) => {
    sftp.rename(from, to, done);
  });
}

function sync(connection: SftpConnection, handle: Buffer, signal: AbortSignal): Promise<void> {
  return connection.ask(signal, (sftp, done) => {
    sftp.ext_openssh_fsync(handle, done);
  });
}

/** Works on all pieces, many at once; after the first failure no more are begun. */
async function inPieces(length: number, work: (start: number, size: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < length) {
      const start = next;
      next += PIECE;
      try {
        await work(start, Math.min(PIECE, length - start));
      } catch (error) {
        next = length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, Math.ceil(length / PIECE)) }, lane));
}
