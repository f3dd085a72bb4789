import type { Id } from '../format/id.ts';
import type { BlobType } from '../format/pack.ts';
import { IdRows, type IdRowsData } from './id-rows.ts';
import { IdWords } from './id-words.ts';

/** Fields of a blob's row after its id. */
export const PLACE = 0;
export const OFFSET = 1;
export const LENGTH = 2;
export const UNCOMPRESSED_LENGTH = 3;
export const BLOB_FIELDS = 4;

/** Of a row's first field. */
export const TYPE_BIT = 1;

/** The blobs of a loaded index, for other threads. Structured-cloneable, no copy. */
export type KnownBlobsData = IdRowsData;

/** A row's first field: the pack's row and the blob's type in one word. */
export function placeOf(pack: number, type: BlobType): number {
  return ((pack << 1) | typeBit(type)) >>> 0;
}

export function packOf(place: number): number {
  return place >>> 1;
}

export function typeOf(place: number): BlobType {
  return (place & 1) === 0 ? 'data' : 'tree';
}

export function typeBit(type: BlobType): number {
  return type === 'tree' ? 1 : 0;
}

/** Which blobs the repository's index lists, as any thread can ask. */
export class KnownBlobs {
  readonly #rows: IdRows;
  readonly #id = new IdWords();

  constructor(data: KnownBlobsData) {
    this.#rows = new IdRows(data);
  }

  has(type: BlobType, id: Id): boolean {
    return this.#find(type, this.#id.setId(id));
  }

  /** @param at where the id's 64 hexadecimal digits begin in `text`; false if they are none */
  hasHex(type: BlobType, text: Uint8Array, at: number): boolean {
    return this.#id.setHex(text, at) && this.#find(type, this.#id);
  }

  #find(type: BlobType, key: IdWords): boolean {
    for (let row = this.#rows.first(key); row >= 0; row = this.#rows.next(key))
      if ((this.#rows.field(row, PLACE) & 1) === typeBit(type)) return true;
    return false;
  }
}
