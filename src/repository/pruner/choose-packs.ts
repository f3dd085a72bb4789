import { PACK_SIZE } from '../format/pack.ts';
import { type PackUsage, wasteOf } from './pack-usage.ts';

/** What is done with each pack that the index tells of. */
export interface PackChoice {
  readonly keep: readonly PackUsage[];
  readonly repack: readonly PackUsage[];
  readonly remove: readonly PackUsage[];
}

export interface ChoiceRules {
  /** Unused bytes that may stay, as a share of the used ones. */
  readonly maxUnused: number;
  /** Whether trees are to be compressed: version 2. */
  readonly compressTrees: boolean;
}

/** Smaller packs are put together, once there are enough of them that it is worth it. */
const SMALL = PACK_SIZE / 4;
const ENOUGH_SMALL = 10;

/**
 * Chooses as restic does: packs without use go; mixed packs, tree packs with waste and uncompressed trees are always
 * repacked, since trees are what is read most; of data packs the most wasteful, until what is left of waste is bearable;
 * and many small packs are put together.
 */
export function choosePacks(packs: readonly PackUsage[], rules: ChoiceRules): PackChoice {
  const remove = packs.filter(({ used }) => used === 0);
  const useful = packs.filter(({ used }) => used > 0);
  const must = useful.filter((pack) => mustRepack(pack, rules));
  const rest = useful.filter((pack) => !mustRepack(pack, rules));

  const mergeable = mergeableTypes(rest);
  const small = rest.filter((pack) => isSmall(pack) && mergeable.has(pack.type));
  const others = rest.filter((pack) => !isSmall(pack) || !mergeable.has(pack.type));
  const wasteful = chooseWasteful(others, rules.maxUnused * sum(useful, ({ used }) => used));

  const repack = new Set([...must, ...small, ...wasteful]);
  return { remove, repack: [...repack], keep: useful.filter((pack) => !repack.has(pack)) };
}

function mustRepack(pack: PackUsage, { compressTrees }: ChoiceRules): boolean {
  switch (pack.type) {
    case 'mixed':
      return true;
    case 'tree':
      return wasteOf(pack) > 0 || (compressTrees && pack.hasPlainTree);
    case 'data':
      return false;
  }
}

/** The most wasteful first, until what stays unused is at most `bearable` bytes. */
function chooseWasteful(packs: readonly PackUsage[], bearable: number): PackUsage[] {
  const candidates = packs
    .filter((pack) => wasteOf(pack) > 0)
    .sort((a, b) => wasteOf(b) / b.size - wasteOf(a) / a.size);
  let left = sum(candidates, wasteOf);
  const chosen: PackUsage[] = [];
  for (const pack of candidates) {
    if (left <= bearable) break;
    chosen.push(pack);
    left -= wasteOf(pack);
  }
  return chosen;
}

function isSmall({ size }: PackUsage): boolean {
  return size < SMALL;
}

/** The types with so many small packs that it is worth putting them together. */
function mergeableTypes(packs: readonly PackUsage[]): ReadonlySet<PackUsage['type']> {
  const types = ['data', 'tree'] as const;
  const small = packs.filter(isSmall);
  return new Set(types.filter((type) => small.filter((pack) => pack.type === type).length >= ENOUGH_SMALL));
}

function sum(packs: readonly PackUsage[], bytes: (pack: PackUsage) => number): number {
  return packs.reduce((total, pack) => total + bytes(pack), 0);
}
