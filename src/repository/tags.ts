/** Changing the tags of snapshots that exist. */
import { INCOMPLETE_TAG, isIncomplete, type Snapshot, type SnapshotFilter } from '../domain/snapshot.ts';
import type { RepositoryContext } from './context.ts';
import { encodeSnapshot } from './format/snapshot-record.ts';
import type { Retagged, TagChange } from './repository.ts';
import { selectSnapshots } from './snapshots.ts';
import { withLock } from './storage/locks.ts';

/** See {@link Repository.tag}. The new record is durable before the old one goes. */
export function tag(
  context: RepositoryContext,
  filter: SnapshotFilter,
  change: TagChange,
  signal: AbortSignal,
): Promise<readonly Retagged[]> {
  const { objects, clock } = context;
  return withLock(objects, { exclusive: true, clock, signal }, async (signal, guard) => {
    const changed: Retagged[] = [];
    for (const snapshot of await selectSnapshots(objects, filter, signal)) {
      const tags = changedTags(snapshot, change);
      if (tags === undefined) continue;
      const { id: before, ...record } = snapshot;
      const json = encodeSnapshot({ ...record, tags, original: snapshot.original ?? before });
      const after = await objects.save('snapshot', json, signal);
      await guard.confirm();
      await objects.remove('snapshot', before, signal);
      changed.push({ before, after });
    }
    return changed;
  });
}

/** The tags that the snapshot gets, or undefined where they stay as they are. */
function changedTags(snapshot: Snapshot, { set, add, remove }: TagChange): readonly string[] | undefined {
  const tags = snapshot.tags ?? [];
  // That something is missing from a snapshot is not forgotten by the way.
  if (set !== undefined) return [...new Set([...set, ...(isIncomplete(snapshot) ? [INCOMPLETE_TAG] : [])])];
  const more = [...new Set([...tags, ...add])];
  const left = more.filter((one) => !remove.includes(one));
  return more.length === tags.length && left.length === more.length ? undefined : left;
}
