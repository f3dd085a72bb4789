/** Turns a file's content, as it comes, into blobs: by content, or in blocks of one size. */
import type { Content, Cut } from '../../domain/entry.ts';
import { Chunker, chunkSizes, type ChunkSizes, lineSizes } from '../format/chunker.ts';
import type { Id } from '../format/id.ts';
import type { Batches } from './batches.ts';
import { Cutter, CUTTER_WINDOW } from './cutter.ts';

export interface SavedStream {
  /** In order; an item is there once its chunk was answered: see {@link Batches.drain}. */
  readonly content: Id[];
  readonly size: number;
}

export class StreamSaver {
  readonly #batches: Batches;
  readonly #polynomial: bigint;
  readonly #onBytes: (length: number) => void;
  #cutter: Cutter | undefined;

  constructor(batches: Batches, polynomial: bigint, onBytes: (length: number) => void) {
    this.#batches = batches;
    this.#polynomial = polynomial;
    this.#onBytes = onBytes;
  }

  /** Reads the content to its end. One stream at a time. */
  async save(content: Content, cut: Cut): Promise<SavedStream> {
    if (cut === 'content' && 'read' in content) return this.saveFrom((space) => content.read(space));
    if (cut === 'content') return this.#pieces(content);
    if ('block' in cut) return this.#inBlocks(content, cut.block);
    return this.#pieces(content, 'at' in cut ? lineSizes(cut.average) : chunkSizes(cut.average));
  }

  /** The same, cut by content, of bytes that `read` puts where it is told; it answers how many, 0 at the end. */
  async saveFrom(read: (space: Uint8Array) => Promise<number>): Promise<SavedStream> {
    const cutter = this.#emptyCutter();
    const ids: Id[] = [];
    let size = 0;
    for (;;) {
      const length = await read(cutter.space());
      cutter.filled(length);
      size += length;
      this.#onBytes(length);
      await this.#takeAll(cutter, length === 0, ids);
      if (length === 0) return { content: ids, size };
    }
  }

  async #pieces(content: Content, sizes?: ChunkSizes): Promise<SavedStream> {
    const cutter = this.#emptyCutter(sizes);
    const ids: Id[] = [];
    let size = 0;
    for await (const piece of content) {
      size += piece.length;
      this.#onBytes(piece.length);
      for (let at = 0; at < piece.length;) {
        const space = cutter.space();
        const part = piece.subarray(at, at + space.length);
        space.set(part);
        cutter.filled(part.length);
        at += part.length;
        await this.#takeAll(cutter, false, ids);
      }
    }
    await this.#takeAll(cutter, true, ids);
    return { content: ids, size };
  }

  #emptyCutter(sizes?: ChunkSizes): Cutter {
    const cutter = (this.#cutter ??= new Cutter(new Chunker(this.#polynomial, CUTTER_WINDOW)));
    cutter.reset(sizes);
    return cutter;
  }

  async #takeAll(cutter: Cutter, final: boolean, ids: Id[]): Promise<void> {
    for (let chunk = cutter.take(final); chunk !== undefined; chunk = cutter.take(final)) {
      const room = await this.#batches.reserve(chunk.length);
      room.set(chunk);
      this.#commit(chunk.length, ids);
    }
  }

  async #inBlocks(content: Content, block: number): Promise<SavedStream> {
    const ids: Id[] = [];
    let size = 0;
    let room: Uint8Array | undefined;
    let filled = 0;
    for await (const piece of content) {
      size += piece.length;
      this.#onBytes(piece.length);
      for (let at = 0; at < piece.length;) {
        room ??= await this.#batches.reserve(block);
        const part = piece.subarray(at, at + block - filled);
        room.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled < block) continue;
        this.#commit(block, ids);
        room = undefined;
        filled = 0;
      }
    }
    if (filled > 0) this.#commit(filled, ids);
    return { content: ids, size };
  }

  #commit(length: number, ids: Id[]): void {
    const at = ids.push('') - 1;
    this.#batches.commit(length, (id) => {
      ids[at] = id;
    });
  }
}
