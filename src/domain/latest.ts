import type { Snapshot } from './snapshot.ts';

/**
 * The newest `limit` snapshots of each host and set of paths, in the order given.
 * @param snapshots oldest first
 */
export function latestOfEach(snapshots: readonly Snapshot[], limit: number): readonly Snapshot[] {
  const seen = new Map<string, number>();
  const kept = snapshots.toReversed().filter(({ hostname, paths }) => {
    const series = JSON.stringify([hostname, paths.toSorted()]);
    const before = seen.get(series) ?? 0;
    seen.set(series, before + 1);
    return before < limit;
  });
  return kept.reverse();
}
