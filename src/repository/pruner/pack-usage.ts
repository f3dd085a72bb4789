import { headerBase, type PackedBlob } from '../format/pack.ts';
import type { Id } from '../format/id.ts';
import type { BlobBits } from '../storage/blob-bits.ts';
import type { BlobIndex } from '../storage/blob-index.ts';

/** What a pack that the index tells of is worth. Sizes in bytes. */
export interface PackUsage {
  readonly id: Id;
  /** Its number in the index. */
  readonly pack: number;
  /** Of the whole pack as the index describes it. */
  readonly size: number;
  /** What is kept of it, and its frame. 0: nothing is. */
  readonly used: number;
  readonly type: PackedBlob['type'] | 'mixed';
  /** Whether it holds a blob that is not compressed. */
  readonly hasPlainBlob: boolean;
}

/** @param kept by row */
export function* usageOfPacks(index: BlobIndex, kept: BlobBits): Generator<PackUsage, void, undefined> {
  for (const { id, pack, rows } of index.packRows()) {
    let size = headerBase();
    let used = 0;
    let trees = 0;
    let hasPlainBlob = false;
    for (const row of rows) {
      const bytes = index.bytesOf(row);
      size += bytes;
      if (kept.has(row)) used += bytes;
      if (index.isTree(row)) trees += 1;
      hasPlainBlob ||= !index.isCompressed(row);
    }
    const type = trees === 0 ? 'data' : trees === rows.length ? 'tree' : 'mixed';
    yield { id, pack, size, used: used === 0 ? 0 : used + headerBase(), type, hasPlainBlob };
  }
}

/** Bytes of a pack that nobody needs. */
export function wasteOf({ size, used }: PackUsage): number {
  return size - used;
}
