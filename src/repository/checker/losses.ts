import type { Id } from '../format/id.ts';
import type { BlobType } from '../format/pack.ts';
import { BlobBits } from '../storage/blob-bits.ts';
import type { BlobIndex } from '../storage/blob-index.ts';

/** Which places of blobs turned out unreadable, and which blobs are lost thereby: those without a good place. */
export class Losses {
  readonly #index: BlobIndex;
  readonly #unreadable: BlobBits;
  #any = false;

  constructor(index: BlobIndex) {
    this.#index = index;
    this.#unreadable = new BlobBits(index.size);
  }

  /** Whether anything was found to be lost, or perhaps lost. */
  get any(): boolean {
    return this.#any;
  }

  /** The blob cannot be read from this place. */
  addPlace(row: number): void {
    this.#unreadable.add(row);
    this.#any = true;
  }

  /** No place of the blob is any good. */
  addBlob(type: BlobType, id: Id): void {
    for (const row of this.#index.rowsOf(type, id)) this.#unreadable.add(row);
    this.#any = true;
  }

  isLost(type: BlobType, id: Id): boolean {
    return this.#index.rowsOf(type, id).every((row) => this.#unreadable.has(row));
  }
}
