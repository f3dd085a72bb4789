/** The options by which prune, and forget with --prune, take their policy. */
import { InvalidArgumentError, type Command } from 'commander';
import { parseSize } from '../domain/size.ts';
import type { PrunePolicy } from '../repository/repository.ts';
import { byteCount, percentOf } from './number.ts';

/** As commander hands them over. */
export interface PruneFlags {
  readonly maxUnused?: PrunePolicy['maxUnused'];
  readonly maxRepackSize?: number;
  readonly repackCacheableOnly?: boolean;
  readonly repackUncompressed?: boolean;
  readonly repackSmall?: boolean;
  readonly repackSmallerThan?: number;
}

/** restic's default: 5 % of what is left afterwards. */
const MAX_UNUSED = shareOf(5);
export function addPruneOptions(command: Command): Command {
  return command
    .option('--max-unused <limit>', 'unused space that may stay: 5%, 500M, 0 or unlimited (default: 5%)', parseLimit)
    .option('--max-repack-size <size>', 'write less than this anew: 500M, 2G; the rest another time', byteCount)
    .option('--repack-cacheable-only', 'leave packs of data alone that are needed in part')
    .option('--repack-uncompressed', 'write anew, compressed, what is not')
    .option('--repack-small', 'put together packs below 80% of the usual size')
    .option('--repack-smaller-than <size>', 'put together packs below this size: 500K, 5M', parseSmall);
}

export function prunePolicyOf(flags: PruneFlags): PrunePolicy {
  const { maxUnused = MAX_UNUSED, maxRepackSize, repackCacheableOnly = false, repackUncompressed = false } = flags;
  const smallerThan = flags.repackSmallerThan ?? (flags.repackSmall === true ? 'small' : undefined);
  return {
    maxUnused,
    cacheableOnly: repackCacheableOnly,
    compress: repackUncompressed,
    ...(maxRepackSize !== undefined && { maxRepackBytes: maxRepackSize }),
    ...(smallerThan !== undefined && { smallerThan }),
  };
}

/** A percentage is of all that is left, the share of what is used of it. */
function shareOf(percent: number): number {
  return percent / (100 - percent);
}

function parseLimit(text: string): PrunePolicy['maxUnused'] {
  if (text === 'unlimited') return Infinity;
  const percent = percentOf(text);
  if (percent !== undefined && percent < 100) return shareOf(percent);
  const bytes = percent === undefined ? parseSize(text) : undefined;
  if (bytes !== undefined) return { bytes };
  throw new InvalidArgumentError('Write it as 5% (below 100%), as a size such as 500M, as 0 or unlimited.');
}

function parseSmall(text: string): number {
  const size = byteCount(text);
  if (size > 0) return size;
  throw new InvalidArgumentError('It must be above 0.');
}
