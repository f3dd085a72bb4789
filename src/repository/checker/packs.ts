/** Whether the packs in the store are those that the index tells of. */
import type { Finding } from '../../domain/finding.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import { packSizeOf } from '../format/pack.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { listPacks } from '../storage/objects.ts';
import * as found from './findings.ts';
import type { Losses } from './losses.ts';

/** @returns the sizes of all packs in the store that the index tells of */
export async function* checkPacks(
  context: RepositoryContext,
  index: BlobIndex,
  losses: Losses,
  signal: AbortSignal,
): AsyncGenerator<Finding, ReadonlyMap<Id, number>, undefined> {
  const sizes = new Map<Id, number>();
  for await (const { id, size } of listPacks(context.nearby, signal)) sizes.set(id, size);
  const present = new Map<Id, number>();
  for (const { id, rows } of index.packRows()) {
    const size = sizes.get(id);
    sizes.delete(id);
    if (size !== undefined) present.set(id, size);
    yield* comparePack(index, losses, id, rows, size);
  }
  for (const [id, size] of sizes) yield found.packUnreferenced(id, size);
  return present;
}

function* comparePack(
  index: BlobIndex,
  losses: Losses,
  id: Id,
  rows: readonly number[],
  size: number | undefined,
): Generator<Finding, void, undefined> {
  const blobs = rows.map((row) => index.at(row));
  const expected = packSizeOf(blobs);
  if (size === expected) return;
  yield size === undefined ? found.packMissing(id) : found.packSizeWrong(id, size, expected);
  for (const [i, row] of rows.entries()) {
    const blob = blobs[i];
    if (blob !== undefined && blob.offset + blob.length > (size ?? 0)) losses.addPlace(row);
  }
}
