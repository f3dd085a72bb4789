import type { PrunePolicy } from '../repository.ts';
import { type PackUsage, wasteOf } from './pack-usage.ts';

/** What is done with each pack that the index tells of. */
export interface PackChoice {
  readonly keep: readonly PackUsage[];
  readonly repack: readonly PackUsage[];
  readonly remove: readonly PackUsage[];
}

export interface ChoiceRules extends PrunePolicy {
  /** Of the repository: 1 knows no compression. */
  readonly version: 1 | 2;
  /** Of a full pack. */
  readonly packBytes: number;
}

/** Parts of a full pack: smaller ones are put together, once there are enough of them that it is worth it. */
const TINY = 1 / 25;
const SMALL = 0.8;
const ENOUGH_SMALL = 10;

/**
 * Chooses as restic 0.18 does: packs without use go; mixed packs, tree packs with waste and uncompressed trees are
 * repacked, since trees are what is read most; many small packs are put together; and of data packs the most wasteful,
 * until what is left of waste is bearable.
 */
export function choosePacks(packs: readonly PackUsage[], rules: ChoiceRules): PackChoice {
  const remove = packs.filter(({ used }) => used === 0);
  const useful = packs.filter(({ used }) => used > 0);
  const { packBytes, smallerThan = packBytes * TINY } = rules;
  const least = smallerThan === 'small' ? packBytes * SMALL : smallerThan;
  const isSmall = ({ size }: PackUsage): boolean => size < least;

  const touchable = useful.filter(({ type }) => type !== 'data' || rules.cacheableOnly !== true);
  const flawed = touchable.filter((pack) => isFlawed(pack, rules));
  const small = touchable.filter((pack) => !isFlawed(pack, rules) && isSmall(pack));
  const candidates = [...flawed, ...(small.length < ENOUGH_SMALL ? [] : small)].sort(byUrgency(isSmall));

  const repack = takeWhileWorthIt(candidates, isSmall, useful, rules);
  return { remove, repack: [...repack], keep: useful.filter((pack) => !repack.has(pack)) };
}

/** Whether there is anything wrong with it but its size. */
function isFlawed(pack: PackUsage, rules: ChoiceRules): boolean {
  return pack.type === 'mixed' || wasteOf(pack) > 0 || mustCompress(pack, rules);
}

function mustCompress({ type, hasPlainBlob }: PackUsage, { version, compress }: ChoiceRules): boolean {
  return version > 1 && hasPlainBlob && (type === 'tree' || compress === true);
}

/** Trees first, then what is small, then what wastes most. */
function byUrgency(isSmall: (pack: PackUsage) => boolean): (a: PackUsage, b: PackUsage) => number {
  const rank = (pack: PackUsage): number => (pack.type !== 'data' ? 0 : isSmall(pack) ? 1 : 2);
  const share = (pack: PackUsage): number => wasteOf(pack) / pack.used;
  return (a, b) => rank(a) - rank(b) || share(b) - share(a);
}

/** Up to the limits of what may be repacked, and of waste that is worth it. */
function takeWhileWorthIt(
  candidates: readonly PackUsage[],
  isSmall: (pack: PackUsage) => boolean,
  useful: readonly PackUsage[],
  rules: ChoiceRules,
): Set<PackUsage> {
  const { maxUnused, maxRepackBytes = Infinity } = rules;
  const bearable = typeof maxUnused === 'number' ? maxUnused * sum(useful, ({ used }) => used) : maxUnused.bytes;
  const chosen = new Set<PackUsage>();
  let waste = sum(useful, wasteOf);
  let bytes = 0;
  for (const pack of candidates) {
    if (bytes + pack.size >= maxRepackBytes) continue;
    const isBearable = waste < bearable && !isSmall(pack);
    if (isBearable && pack.type === 'data' && !mustCompress(pack, rules)) continue;
    chosen.add(pack);
    waste -= wasteOf(pack);
    bytes += pack.size;
  }
  return chosen;
}

function sum(packs: readonly PackUsage[], bytes: (pack: PackUsage) => number): number {
  return packs.reduce((total, pack) => total + bytes(pack), 0);
}
