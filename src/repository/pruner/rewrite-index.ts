import type { Id } from '../format/id.ts';
import { INDEX_BLOBS, type IndexedPack } from '../format/index-file.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { IndexWriter } from '../storage/index-writer.ts';
import type { Objects } from '../storage/objects.ts';

/** Index files with fewer blobs are put together when others are rewritten anyway, or when there are many of them. */
const SMALL_FILE = INDEX_BLOBS / 2;
const MANY_SMALL = 10;

/**
 * Writes new index files for what the obsolete ones list, without the dropped packs and with the new ones.
 * @param dropped by their number in the index
 * @returns the ids of the files that are obsolete now; they are still there
 */
export async function rewriteIndex(
  objects: Objects,
  index: BlobIndex,
  dropped: ReadonlySet<number>,
  added: readonly IndexedPack[],
  signal: AbortSignal,
): Promise<Id[]> {
  const obsolete = obsoleteFiles(index, dropped, added.length > 0);
  const writer = new IndexWriter(objects, signal);
  for (const { id, pack, file, rows } of index.packRows())
    if (obsolete.has(file) && !dropped.has(pack)) await writer.add({ id, blobs: rows.map((row) => index.at(row)) });
  for (const pack of added) await writer.add(pack);
  await writer.flush();
  // A new file with the very content of an old one has its own random IV, hence its own id.
  return index.indexIds.filter((_, file) => obsolete.has(file));
}

function obsoleteFiles(index: BlobIndex, dropped: ReadonlySet<number>, isAdding: boolean): Set<number> {
  const blobs = new Map<number, number>(index.indexIds.map((_, file) => [file, 0]));
  const obsolete = new Set<number>();
  for (const { pack, file, rows } of index.packRows()) {
    blobs.set(file, (blobs.get(file) ?? 0) + rows.length);
    if (dropped.has(pack)) obsolete.add(file);
  }
  for (const file of blobs.keys()) if (index.isOverlapping(file)) obsolete.add(file);
  const small = [...blobs].filter(([, count]) => count < SMALL_FILE).map(([file]) => file);
  if (isAdding || obsolete.size > 0 || small.length >= MANY_SMALL) for (const file of small) obsolete.add(file);
  return obsolete;
}
