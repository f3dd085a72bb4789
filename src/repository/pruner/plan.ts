import { RespaldoError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import { headerBase } from '../format/pack.ts';
import type { PrunePlan, PrunePolicy } from '../repository.ts';
import type { BlobBits } from '../storage/blob-bits.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { listPacks } from '../storage/objects.ts';
import { chooseCopies, type Chosen } from './choose-copies.ts';
import { choosePacks, type PackChoice } from './choose-packs.ts';
import { type PackUsage, usageOfPacks, wasteOf } from './pack-usage.ts';
import { findUsedBlobs, loadRoots } from './used-blobs.ts';

/** A plan with what carrying it out needs. */
export interface DetailedPlan {
  readonly summary: PrunePlan;
  readonly index: BlobIndex;
  /** By row: the places of blobs that stay, or are repacked. */
  readonly kept: BlobBits;
  readonly choice: PackChoice;
  /** Packs to remove that are in the store. */
  readonly present: ReadonlySet<Id>;
}

/**
 * Decides what a prune does. Changes nothing.
 * @throws RespaldoError `repository-damaged` if anything that a snapshot needs is missing
 */
export async function planPrune(
  context: RepositoryContext,
  policy: PrunePolicy,
  signal: AbortSignal,
): Promise<DetailedPlan> {
  const { version } = context.config;
  const { packBytes } = context.packing;
  requirePossible(policy, version, packBytes);
  const roots = await loadRoots(context, signal, policy.without);
  const index = await context.loadIndex(signal);
  const used = await findUsedBlobs(context, index, roots, signal);
  const sizes = new Map<Id, number>();
  for await (const { id, size } of listPacks(context.nearby, signal)) sizes.set(id, size);

  const chosen = chooseCopies(index, used, soundness(index, sizes));
  const packs = [...usageOfPacks(index, chosen.kept)];
  const choice = choosePacks(packs, { ...policy, version, packBytes });
  return {
    summary: summarize(chosen, packs, choice, sizes),
    index,
    kept: chosen.kept,
    choice,
    present: new Set(sizes.keys()),
  };
}

function requirePossible({ compress, smallerThan = 0 }: PrunePolicy, version: 1 | 2, packBytes: number): void {
  if (compress === true && version === 1)
    throw new RespaldoError('usage', 'a repository of version 1 knows no compression', {
      hint: 'Upgrade it first: respaldo migrate upgrade_repo_v2',
    });
  if (smallerThan !== 'small' && smallerThan > packBytes)
    throw new RespaldoError('usage', `packs have ${packBytes} bytes: nothing larger can be made of them`, {
      hint: 'Ask for larger ones: --pack-size 64',
    });
}

function soundness(index: BlobIndex, sizes: ReadonlyMap<Id, number>): (pack: number) => boolean {
  const sound = new Uint8Array(index.packCount);
  for (const { id, pack, rows } of index.packRows()) {
    const expected = rows.reduce((size, row) => size + index.bytesOf(row), headerBase());
    sound[pack] = sizes.get(id) === expected ? 1 : 0;
  }
  return (pack) => sound[pack] === 1;
}

function summarize(
  { used, unused, duplicate }: Chosen,
  packs: readonly PackUsage[],
  { keep, repack, remove }: PackChoice,
  sizes: ReadonlyMap<Id, number>,
): PrunePlan {
  const known = new Set(packs.map(({ id }) => id));
  const unreferencedPacks = [...sizes.keys()].filter((id) => !known.has(id));
  const unreferenced = unreferencedPacks.reduce((total, id) => total + (sizes.get(id) ?? 0), 0);
  const bytesOf = (some: readonly PackUsage[], bytes: (pack: PackUsage) => number) =>
    some.reduce((total, pack) => total + bytes(pack), 0);
  // What is removed is counted as it lies in the store: a truncated pack frees less than the index tells.
  const removed = bytesOf(remove, ({ id }) => sizes.get(id) ?? 0);
  const usedBytes = bytesOf(packs, (pack) => pack.used);
  const keptWaste = bytesOf(keep, wasteOf);
  const repackedWaste = bytesOf(repack, wasteOf);
  return {
    keepPacks: keep.length,
    repackPacks: repack.map(({ id }) => id),
    removePacks: remove.map(({ id }) => id),
    unreferencedPacks,
    bytes: {
      total: usedBytes + keptWaste + repackedWaste + removed + unreferenced,
      used: usedBytes,
      unused: keptWaste + repackedWaste + removed,
      repack: bytesOf(repack, ({ size }) => size),
      remove: removed + unreferenced,
      freed: removed + unreferenced + repackedWaste,
      unusedAfter: keptWaste,
    },
    blobs: { used, unused, duplicate },
  };
}
