import type { Id } from '../format/id.ts';
import type { DataSubset } from '../repository.ts';

/**
 * The packs of a subset, as restic chooses them: a part by the first byte of the ids, a share by chance, of at least one
 * pack.
 * @param sizes in bytes
 * @param random a number from 0 to below 1
 */
export function packsOf(subset: DataSubset, sizes: ReadonlyMap<Id, number>, random: () => number): Set<Id> {
  const ids = [...sizes.keys()];
  if ('part' in subset) return new Set(ids.filter((id) => firstByte(id) % subset.parts === subset.part - 1));
  const share = 'percent' in subset ? subset.percent / 100 : shareOf(subset.bytes, sizes);
  return new Set(shuffled(ids, random).slice(0, Math.max(1, Math.floor(ids.length * share))));
}

function firstByte(id: Id): number {
  return Number.parseInt(id.slice(0, 2), 16);
}

function shareOf(bytes: number, sizes: ReadonlyMap<Id, number>): number {
  const total = sizes.values().reduce((sum, size) => sum + size, 0);
  return total === 0 ? 1 : Math.min(1, bytes / total);
}

function shuffled(ids: readonly Id[], random: () => number): Id[] {
  return ids
    .map((id) => ({ id, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ id }) => id);
}
