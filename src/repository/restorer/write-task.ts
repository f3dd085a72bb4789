/** A worker's main work: the blobs of a part of one pack, verified and written to their files. */
import { closeSync, openSync, readSync } from 'node:fs';
import { decodeName } from '../../domain/name.ts';
import { errnoOf, isError, RespaldoError } from '../../errors.ts';
import type { Sealer } from '../format/crypto.ts';
import type { Id } from '../format/id.ts';
import { unpackBlob } from '../storage/blobs.ts';
import { releaseIfLarge } from '../workers/release.ts';
import { LARGE, UNIT } from './direct-file.ts';
import { plainLength } from './file-job.ts';
import { FileWriter } from './file-writer.ts';
import type { WriterOptions } from './writer-options.ts';
import { type BlobOrder, decodeOrders, type Orders } from './orders.ts';
import type { Rooms } from './rooms.ts';
import { readRuns } from './runs.ts';
import { isFatal, reasonOf, targetError } from './target-error.ts';

export interface WriteTask {
  readonly kind: 'write';
  /** See `encodeOrders`. */
  readonly orders: Uint8Array;
  /** Where the pack lies, or its bytes, or why they cannot be had: one item for each stretch of `readRuns`. None for empty files alone. */
  readonly pack: { readonly file: string } | { readonly runs: readonly (Uint8Array | string)[] } | undefined;
}

export interface Written {
  /** Files of the orders that could not be written, by their number. */
  readonly failures: readonly Failure[];
  /** What could not be set on files that are otherwise right. */
  readonly problems: readonly { readonly file: number; readonly what: string }[];
}

export interface Failure {
  readonly file: number;
  readonly reason: string;
  /** The blob that is damaged; absent where the target refused. */
  readonly blob?: Id;
}

/** @throws RespaldoError `target-full`, `target-refused` that names the file, for what will not go better with the next */
export async function carryOut(
  task: WriteTask,
  sealer: Sealer,
  rooms: Rooms,
  options: WriterOptions,
): Promise<Written> {
  const orders = decodeOrders(task.orders);
  const writing = new Writing(orders, sealer, rooms, options);
  try {
    writing.empties();
    for (const { order, sealed } of sealedBlobs(task, orders)) {
      if (typeof sealed === 'string') writing.lose(order, sealed);
      else if (plainLength(order.blob) < LARGE) writing.blob(order, sealed);
      else await writing.largeBlob(order, sealed);
    }
    await writing.finish();
    return writing.result;
  } finally {
    await writing.close();
  }
}

/** Where a small blob lies until it is written. */
const small = new Uint8Array(LARGE);

class Writing {
  readonly #orders: Orders;
  readonly #sealer: Sealer;
  readonly #rooms: Rooms;
  readonly #writer: FileWriter;
  readonly #failures: Failure[] = [];

  constructor(orders: Orders, sealer: Sealer, rooms: Rooms, options: WriterOptions) {
    this.#orders = orders;
    this.#sealer = sealer;
    this.#rooms = rooms;
    this.#writer = new FileWriter(orders.files, options);
  }

  get result(): Written {
    return { failures: this.#failures, problems: this.#writer.problems };
  }

  empties(): void {
    for (const [file, { pieces }] of this.#orders.files.entries())
      if (pieces === 0) this.#attempt(file, () => this.#writer.writeEmpty(file));
  }

  blob(order: BlobOrder, sealed: Uint8Array): void {
    const plain = this.#open(order, sealed, small);
    if (plain !== undefined) this.#write(order.targets, plain);
  }

  /** Resolves when the next blob can be opened; this one may still be on its way to the disk. */
  async largeBlob(order: BlobOrder, sealed: Uint8Array): Promise<void> {
    const [first, ...others] = order.targets;
    if (first === undefined) return;
    const [file, at] = first;
    const room = await this.#rooms.take(plainLength(order.blob));
    let written = Promise.resolve();
    try {
      const place = room.subarray(at % UNIT);
      const plain = this.#open(order, sealed, place);
      if (plain === undefined) return;
      this.#write(others, plain);
      this.#attempt(file, () => {
        if (plain.byteOffset === place.byteOffset && plain.buffer === place.buffer)
          written = this.#writer.writeLarge(file, room, plain.length, at);
        else this.#writer.write(file, plain, at);
      });
    } finally {
      void written.then(() => {
        this.#rooms.give(room);
      });
    }
  }

  /** Waits for what is on its way. */
  async finish(): Promise<void> {
    for (const file of this.#writer.large)
      await this.#writer.finishLarge(file).catch((error: unknown) => {
        this.#met(file, error);
      });
  }

  /** Its content, unless nobody wants it or it is damaged. */
  #open(order: BlobOrder, sealed: Uint8Array, room: Uint8Array): Uint8Array | undefined {
    if (order.targets.every(([file]) => this.#writer.isFailed(file))) return undefined;
    try {
      return unpackBlob(this.#sealer, sealed, order.blob, room);
    } catch (error) {
      if (!isError(error, 'repository-damaged')) throw error;
      this.lose(order, error.message);
      return undefined;
    }
  }

  #write(targets: BlobOrder['targets'], plain: Uint8Array): void {
    for (const [file, at] of targets) this.#attempt(file, () => this.#writer.write(file, plain, at));
  }

  lose(order: BlobOrder, reason: string): void {
    for (const [file] of order.targets) {
      if (this.#writer.isFailed(file)) continue;
      this.#failures.push({ file, reason, blob: order.blob.id });
      this.#attempt(file, () => this.#writer.fail(file));
    }
  }

  async close(): Promise<void> {
    await this.#writer.closeAll();
  }

  #attempt(file: number, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#met(file, error);
    }
  }

  #met(file: number, error: unknown): void {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    if (!this.#writer.isFailed(file)) this.#refuse(file, error);
    if (isFatal(errno)) throw targetError('write', this.#nameOf(file), error);
  }

  #nameOf(file: number): string {
    const order = this.#orders.files[file];
    const path = order?.whole?.rename ?? order?.path ?? '';
    return typeof path === 'string' ? path : decodeName(path);
  }

  #refuse(file: number, error: unknown): void {
    this.#failures.push({ file, reason: reasonOf(error) });
    try {
      this.#writer.fail(file);
    } catch {
      // What the first error says is why; that it cannot be removed either follows from it.
    }
  }
}

/** Each blob's sealed bytes, in order, or in words why they cannot be read. A view, valid until the next one. */
function* sealedBlobs(
  { pack }: WriteTask,
  { blobs }: Orders,
): Generator<{ order: BlobOrder; sealed: Uint8Array | string }> {
  if (pack === undefined) return;
  let next = 0;
  for (const [number, run] of readRuns(blobs.map(({ blob }) => blob)).entries()) {
    const bytes =
      'file' in pack ? readRun(pack.file, run.offset, run.length) : (pack.runs[number] ?? 'it was not read');
    const end = run.offset + run.length;
    for (let order = blobs[next]; order !== undefined && order.blob.offset < end; order = blobs[++next]) {
      const from = order.blob.offset - run.offset;
      if (typeof bytes === 'string') yield { order, sealed: bytes };
      else if (from + order.blob.length > bytes.length) yield { order, sealed: 'the pack is truncated' };
      else yield { order, sealed: bytes.subarray(from, from + order.blob.length) };
    }
    if (typeof bytes !== 'string' && !('file' in pack)) releaseIfLarge(bytes);
  }
}

let scratch = new Uint8Array(0);

/** What the file holds there: less than asked if it is too short; in words why if it cannot be read. */
function readRun(file: string, offset: number, length: number): Uint8Array | string {
  if (scratch.length < length) scratch = new Uint8Array(length);
  try {
    const fd = openSync(file, 'r');
    try {
      let done = 0;
      for (let count = 1; count > 0 && done < length; done += count)
        count = readSync(fd, scratch, done, length - done, offset + done);
      return scratch.subarray(0, done);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    switch (errnoOf(error)) {
      case 'ENOENT':
        return 'the pack is missing';
      case 'EIO':
        return 'the disk cannot read it';
      default:
        throw new RespaldoError('store-refused', `cannot read ${file}: ${reasonOf(error)}`, {
          hint: "Check the folder's owner and permissions; the same restore, run again, goes on where it stopped.",
          cause: error,
        });
    }
  }
}
