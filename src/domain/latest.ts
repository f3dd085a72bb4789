import { BY_HOST_AND_PATHS, groupSnapshots } from './snapshot-group.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The newest `limit` snapshots of each host and set of paths, in the order given.
 * @param snapshots oldest first
 */
export function latestOfEach(snapshots: readonly Snapshot[], limit: number): readonly Snapshot[] {
  const groups = groupSnapshots(snapshots, BY_HOST_AND_PATHS);
  const latest = new Set(groups.flatMap((group) => group.snapshots.slice(-limit)));
  return snapshots.filter((snapshot) => latest.has(snapshot));
}
