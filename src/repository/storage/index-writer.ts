import { encodeIndex, INDEX_BLOBS, type IndexedPack } from '../format/index-file.ts';
import type { Objects } from './objects.ts';

/** Writes index files of the usual size. The packs that they tell of are durable already. */
export class IndexWriter {
  readonly #objects: Objects;
  readonly #signal: AbortSignal;
  #packs: IndexedPack[] = [];
  #blobs = 0;

  constructor(objects: Objects, signal: AbortSignal) {
    this.#objects = objects;
    this.#signal = signal;
  }

  async add(pack: IndexedPack): Promise<void> {
    this.#packs.push(pack);
    this.#blobs += pack.blobs.length;
    if (this.#blobs >= INDEX_BLOBS) await this.flush();
  }

  /** Everything that was added is in a durable index when this resolves. */
  async flush(): Promise<void> {
    if (this.#packs.length === 0) return;
    await this.#objects.save('index', encodeIndex(this.#packs), this.#signal);
    this.#packs = [];
    this.#blobs = 0;
  }
}
