import { constants, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from '../../errors.ts';
import type { LocalPath } from '../filesystem/path.ts';

/**
 * What a write past the cache begins and ends with in the file. No system has larger pages of memory, so that no page is
 * written both ways.
 */
export const UNIT = 64 * 1024;

/** Pieces from this size on are written past the cache. */
export const LARGE = 256 * 1024;

/** Only Linux has a flag for it. */
const FLAGS: { readonly O_WRONLY: number; readonly O_NOFOLLOW: number; readonly O_DIRECT?: number } = constants;
const USUAL = FLAGS.O_WRONLY | FLAGS.O_NOFOLLOW;
const DIRECT = USUAL | (FLAGS.O_DIRECT ?? 0);

/** Bytes of the file that fill no unit: kept until all else is written. */
interface Edge {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * Writes the large pieces of a file that is there to the disk itself, past the system's cache: nothing is copied on the
 * way, and nothing of it waits in memory for the sync at the end. Where the file system knows no such writes, they are
 * usual ones.
 */
export class DirectFile {
  readonly #path: LocalPath;
  #direct: Promise<FileHandle> | undefined;
  /** Once a direct write was refused. */
  #usual: Promise<FileHandle> | undefined;
  readonly #edges: Edge[] = [];
  readonly #underWay: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(path: LocalPath) {
    this.#path = path;
  }

  /**
   * Begins to write a piece; what fails is told by `finish`.
   * @param room begins with a page of memory, and has the piece from `at % UNIT` on; what is before is overwritten
   * @param length bytes of the piece
   * @param at where it belongs in the file
   * @returns resolves when the room may be used for something else
   */
  write(room: Uint8Array, length: number, at: number): Promise<void> {
    const start = at - (at % UNIT);
    const end = at + length;
    const from = this.#firstUnit(room, start, at, end);
    const until = Math.max(from, end - (end % UNIT));
    if (until < end) this.#edges.push({ at: until, bytes: room.slice(until - start, end - start) });
    if (until === from) return Promise.resolve();
    const written = this.#write(room.subarray(from - start, until - start), from).catch((error: unknown) => {
      this.#failure ??= { error };
    });
    this.#underWay.push(written);
    return written;
  }

  /** Everything is written when this resolves. @param fd of the same file, for usual writes */
  async finish(fd: number): Promise<void> {
    await this.abandon();
    if (this.#failure !== undefined) throw this.#failure.error;
    for (const { at, bytes } of this.#edges)
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  }

  /** Nobody writes any more when this resolves. */
  async abandon(): Promise<void> {
    await Promise.all(this.#underWay);
    for (const opened of [this.#direct, this.#usual]) await (await opened?.catch(() => undefined))?.close();
    this.#direct = this.#usual = undefined;
  }

  /** Where in the file whole units begin: bytes before that are kept, or go along with those that the last piece left. */
  #firstUnit(room: Uint8Array, start: number, at: number, end: number): number {
    if (at === start) return at;
    const last = this.#edges.at(-1);
    if (last?.at === start && start + last.bytes.length === at) {
      this.#edges.pop();
      room.set(last.bytes);
      return start;
    }
    const from = Math.min(start + UNIT, end);
    this.#edges.push({ at, bytes: room.slice(at - start, from - start) });
    return from;
  }

  async #write(bytes: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const isDirect = this.#usual === undefined;
      try {
        const handle = await (this.#usual ?? (this.#direct ??= open(this.#path, DIRECT)));
        done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
      } catch (error) {
        if (!isDirect || errnoOf(error) !== 'EINVAL') throw error;
        this.#usual ??= open(this.#path, USUAL);
      }
    }
  }
}
