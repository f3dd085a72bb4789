import { BY_HOST_AND_PATHS, type GroupBy, groupSnapshots } from './snapshot-group.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The newest `limit` snapshots of each group, in the order given.
 * @param snapshots oldest first
 */
export function latestOfEach(
  snapshots: readonly Snapshot[],
  limit: number,
  by: GroupBy = BY_HOST_AND_PATHS,
): readonly Snapshot[] {
  const latest = new Set(groupSnapshots(snapshots, by).flatMap((group) => group.snapshots.slice(-limit)));
  return snapshots.filter((snapshot) => latest.has(snapshot));
}
