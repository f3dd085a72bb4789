import { compareNames } from './name.ts';
import type { Snapshot } from './snapshot.ts';

/** What snapshots must have in common to be treated together. */
export interface GroupBy {
  readonly host: boolean;
  readonly paths: boolean;
  readonly tags: boolean;
}

/** restic's default for `forget`. */
export const BY_HOST_AND_PATHS: GroupBy = { host: true, paths: true, tags: false };

/** What the snapshots of a group have in common; empty for what they are not grouped by. Sorted by bytes. */
export interface GroupKey {
  readonly hostname: string;
  readonly paths: readonly string[];
  readonly tags: readonly string[];
}

export interface SnapshotGroup<S> {
  readonly key: GroupKey;
  /** In the order given. */
  readonly snapshots: readonly S[];
}

/** Reads `host,paths,tags`, any of them in any order; empty puts all in one group. Undefined for anything else. */
export function parseGroupBy(text: string): GroupBy | undefined {
  const words = new Set(text.split(',').map((word) => word.trim().replace(/s$/, '')));
  const groupBy = { host: words.delete('host'), paths: words.delete('path'), tags: words.delete('tag') };
  words.delete('');
  return words.size === 0 ? groupBy : undefined;
}

/** The groups, in the order of their first snapshots. */
export function groupSnapshots<S extends Pick<Snapshot, 'hostname' | 'paths' | 'tags'>>(
  snapshots: readonly S[],
  by: GroupBy,
): readonly SnapshotGroup<S>[] {
  const keyOf = ({ hostname, paths, tags = [] }: S): GroupKey => ({
    hostname: by.host ? hostname : '',
    paths: by.paths ? paths.toSorted(compareNames) : [],
    tags: by.tags ? tags.toSorted(compareNames) : [],
  });
  const groups = Map.groupBy(snapshots, (snapshot) => JSON.stringify(keyOf(snapshot)));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ key: keyOf(first), snapshots: group }];
  });
}
