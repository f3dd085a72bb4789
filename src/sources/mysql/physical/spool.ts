import { randomUUID } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RespaldoError } from '../../../errors.ts';

/** More than two chunks as `mariadb-backup` sends them. */
const IN_MEMORY = 24 * 1024 * 1024;
const PIECE = 1024 * 1024;

/**
 * Keeps what comes of a file while another one is read: a little in memory, the rest in a temporary file without a name,
 * which is gone when this process is.
 */
export class Spool implements AsyncDisposable {
  /** Nothing more will be added. */
  ended = false;
  /** Of all that was ever added, in bytes. */
  size = 0;
  #memory: Buffer[] = [];
  #held = 0;
  #file: FileHandle | undefined;
  #written = 0;

  async add(bytes: Buffer): Promise<void> {
    this.size += bytes.length;
    if (this.#written === 0 && this.#held + bytes.length <= IN_MEMORY) {
      this.#memory.push(bytes);
      this.#held += bytes.length;
      return;
    }
    this.#file ??= await nameless();
    try {
      for (let at = 0; at < bytes.length;) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#written);
        at += bytesWritten;
        this.#written += bytesWritten;
      }
    } catch (error) {
      throw noRoom(error);
    }
  }

  /** What is there, in order; it is forgotten. */
  async *take(): AsyncGenerator<Buffer> {
    const memory = this.#memory;
    this.#memory = [];
    this.#held = 0;
    yield* memory;
    for (let at = 0; at < this.#written;) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE, this.#written - at));
      const { bytesRead = 0 } = (await this.#file?.read(piece, 0, piece.length, at)) ?? {};
      if (bytesRead === 0) throw new RespaldoError('internal', 'a temporary file is shorter than what was written');
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
    this.#written = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#memory = [];
    await this.#file?.close();
    this.#file = undefined;
  }
}

async function nameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `respaldo-${randomUUID()}.part`);
  try {
    const file = await open(path, 'wx+', 0o600);
    await rm(path);
    return file;
  } catch (error) {
    throw noRoom(error);
  }
}

function noRoom(cause: unknown): RespaldoError {
  return new RespaldoError(
    'target-refused',
    `cannot keep in ${tmpdir()} what the server writes during the backup: ${cause instanceof Error ? cause.message : ''}`,
    { hint: 'Free some space there, or name another folder by TMPDIR.', cause },
  );
}
