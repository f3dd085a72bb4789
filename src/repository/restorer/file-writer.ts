import { closeSync, constants, fsyncSync, ftruncateSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import type { FileOrder } from './orders.ts';
import { applyToFile } from './metadata.ts';
import { createFile } from './spread-file.ts';
import type { WriterOptions } from './writer-options.ts';
import { DataRuns } from './data-runs.ts';
import { DirectFile, UNIT } from './direct-file.ts';

const { O_NOFOLLOW, O_WRONLY } = constants;
const MOST_OPEN = 64;

interface OpenFile {
  fd: number | undefined;
  created: boolean;
  left: number;
  /** Bytes up to the end of the last piece that was written, or left as a hole. */
  end: number;
}

/**
 * Writes the files of one task. Files that are whole here are created new, never through a symlink, and finished with
 * their metadata; the others exist already.
 */
export class FileWriter {
  readonly #options: WriterOptions;
  readonly #files: readonly FileOrder[];
  readonly #states: OpenFile[];
  /** Numbers of the open files, the oldest first. */
  readonly #open = new Set<number>();
  readonly #failed = new Set<number>();
  readonly #runs = new DataRuns();
  /** Files with large pieces, by their number: they are finished after all others. */
  readonly #direct = new Map<number, DirectFile>();
  /** What could not be set on files that are otherwise right. */
  readonly problems: { readonly file: number; readonly what: string }[] = [];

  constructor(files: readonly FileOrder[], options: WriterOptions) {
    this.#files = files;
    this.#options = options;
    this.#states = files.map(({ pieces }) => ({ fd: undefined, created: false, left: pieces, end: 0 }));
  }

  isFailed(file: number): boolean {
    return this.#failed.has(file);
  }

  /** Makes the file without content. */
  writeEmpty(file: number): void {
    const [order, state] = this.#at(file);
    this.#descriptor(file, order, state);
    this.#end(file, order, state);
  }

  /** Writes one piece; the last one finishes the file, unless it has large ones. */
  write(file: number, bytes: Uint8Array, at: number): void {
    if (this.#failed.has(file)) return;
    const [order, state] = this.#at(file);
    const fd = this.#descriptor(file, order, state);
    for (const { from, to } of order.sparse ? this.#runs.of(bytes) : [{ from: 0, to: bytes.length }])
      for (let done = from; done < to;) done += writeSync(fd, bytes, done, to - done, at + done);
    this.#took(state, at + bytes.length);
    if (state.left === 0 && !this.#direct.has(file)) this.#end(file, order, state);
  }

  /**
   * Begins to write a large piece, which lies in `room` from `at % UNIT` on.
   * @returns resolves when the room may be used for something else
   */
  writeLarge(file: number, room: Uint8Array, length: number, at: number): Promise<void> {
    const [order, state] = this.#at(file);
    if (order.sparse || this.#failed.has(file)) {
      this.write(file, room.subarray(at % UNIT, (at % UNIT) + length), at);
      return Promise.resolve();
    }
    if (!state.created) this.#descriptor(file, order, state);
    let direct = this.#direct.get(file);
    if (direct === undefined) this.#direct.set(file, (direct = new DirectFile(order.path)));
    this.#took(state, at + length);
    return direct.write(room, length, at);
  }

  /** The files with large pieces, which are still to be finished. */
  get large(): readonly number[] {
    return [...this.#direct.keys()];
  }

  async finishLarge(file: number): Promise<void> {
    const direct = this.#direct.get(file);
    if (direct === undefined) return;
    const [order, state] = this.#at(file);
    if (this.#failed.has(file)) await direct.abandon();
    else await direct.finish(this.#descriptor(file, order, state));
    this.#direct.delete(file);
    if (state.left === 0 && !this.#failed.has(file)) this.#end(file, order, state);
  }

  /** Gives the file up: nothing of it that this task made stays behind. */
  fail(file: number): void {
    this.#failed.add(file);
    const [order, state] = this.#at(file);
    this.#close(file, state);
    if (order.whole !== undefined && state.created) unlinkSync(order.path);
  }

  async closeAll(): Promise<void> {
    for (const direct of this.#direct.values()) await direct.abandon();
    for (const file of this.#open) this.#close(file, this.#at(file)[1]);
  }

  #at(file: number): [FileOrder, OpenFile] {
    const order = this.#files[file];
    const state = this.#states[file];
    if (order === undefined || state === undefined) throw new RangeError(`no file ${file} in this task`);
    return [order, state];
  }

  #took(state: OpenFile, end: number): void {
    state.end = Math.max(state.end, end);
    state.left--;
  }

  #descriptor(file: number, { path, whole }: FileOrder, state: OpenFile): number {
    if (state.fd !== undefined) return state.fd;
    for (const oldest of this.#open) {
      if (this.#open.size < MOST_OPEN) break;
      this.#close(oldest, this.#at(oldest)[1]);
    }
    const create = whole !== undefined && !state.created;
    state.fd = create ? createFile(path, whole.rename !== undefined) : openSync(path, O_WRONLY | O_NOFOLLOW);
    state.created = true;
    this.#open.add(file);
    return state.fd;
  }

  #end(file: number, { path, whole, sparse }: FileOrder, state: OpenFile): void {
    // The last bytes may be a hole. A file that is not all here has its length already.
    if (whole !== undefined && sparse && state.fd !== undefined) ftruncateSync(state.fd, state.end);
    if (whole !== undefined && state.fd !== undefined) {
      const problems = applyToFile(state.fd, whole.metadata, this.#options.owners);
      for (const what of problems) this.problems.push({ file, what });
    }
    if (state.fd !== undefined && this.#options.syncEach) fsyncSync(state.fd);
    this.#close(file, state);
    if (whole?.rename !== undefined) renameSync(path, whole.rename);
  }

  #close(file: number, state: OpenFile): void {
    if (state.fd === undefined) return;
    const fd = state.fd;
    state.fd = undefined;
    this.#open.delete(file);
    closeSync(fd);
  }
}
