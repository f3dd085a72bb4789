import { SEAL_OVERHEAD } from '../format/crypto.ts';
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import type { BlobType } from '../format/pack.ts';
import { BlobBits } from '../storage/blob-bits.ts';
import type { BlobIndex, Located } from '../storage/blob-index.ts';

/** Which blobs a tree, or many, need: each counts once. What no index lists does not count. */
export class BlobUse {
  readonly #index: BlobIndex;
  readonly #rows: BlobBits;

  constructor(index: BlobIndex) {
    this.#index = index;
    this.#rows = new BlobBits(index.size);
  }

  /** @returns whether an index lists it */
  add(type: BlobType, id: Id): boolean {
    const row = this.#index.rowOf(type, id);
    if (row >= 0) this.#rows.add(row);
    return row >= 0;
  }

  addNode({ type, content = [], subtree }: Node): void {
    if (type === 'file') for (const id of content) this.add('data', id);
    if (subtree !== undefined) this.add('tree', subtree);
  }

  /** Those that are in none of the others. */
  *without(...others: readonly BlobUse[]): Generator<Located, void, undefined> {
    for (let row = 0; row < this.#index.size; row++)
      if (this.#rows.has(row) && !others.some((other) => other.#rows.has(row))) yield this.#index.at(row);
  }
}

/** Bytes of the blob's content. */
export function plainLength({ length, uncompressedLength }: Located): number {
  return uncompressedLength === 0 ? length - SEAL_OVERHEAD : uncompressedLength;
}
