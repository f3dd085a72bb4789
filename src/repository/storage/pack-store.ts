import type { NearStore } from '../../stores/store.ts';
import type { RepositoryContext } from '../context.ts';
import type { PackedBlob } from '../format/pack.ts';

/** Where to read or write a pack that holds these blobs: nearby if it is one of trees alone. */
export function storeOf(
  { store, nearby }: Pick<RepositoryContext, 'store' | 'nearby'>,
  blobs: readonly PackedBlob[],
): NearStore {
  return blobs.every(({ type }) => type === 'tree') ? nearby : store;
}
