/** The snapshot's record: written last, when everything it needs is durable. */
import type { Snapshot, SnapshotSummary } from '../../domain/snapshot.ts';
import type { Id } from '../format/id.ts';
import { encodeSnapshot, parseSnapshot } from '../format/snapshot-record.ts';
import { formatTime } from '../format/time.ts';
import type { About, SaveSummary } from '../repository.ts';
import type { Objects } from '../storage/objects.ts';

export async function writeRecord(
  objects: Objects,
  tree: Id,
  about: About,
  summary: SaveSummary,
  signal: AbortSignal,
): Promise<Snapshot> {
  const uid = process.getuid?.();
  const gid = process.getgid?.();
  const record: Omit<Snapshot, 'id'> = {
    time: timeOf(about.time),
    ...(about.parent === undefined ? {} : { parent: about.parent.id }),
    tree,
    paths: about.paths,
    hostname: about.hostname,
    username: about.username,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(about.excludes.length === 0 ? {} : { excludes: about.excludes }),
    ...(about.tags.length === 0 ? {} : { tags: about.tags }),
    ...(about.program === undefined ? {} : { program_version: about.program }),
    summary: recordSummary(summary),
  };
  const json = encodeSnapshot(record);
  // As every reader will see it: what is empty or zero is not stored.
  return parseSnapshot(await objects.save('snapshot', json, signal), json);
}

function recordSummary(summary: SaveSummary): SnapshotSummary {
  return {
    backup_start: timeOf(summary.startedAt),
    backup_end: timeOf(summary.finishedAt),
    files_new: summary.filesNew,
    files_changed: summary.filesChanged,
    files_unmodified: summary.filesUnmodified,
    dirs_new: summary.dirsNew,
    dirs_changed: summary.dirsChanged,
    dirs_unmodified: summary.dirsUnmodified,
    data_blobs: summary.dataBlobs,
    tree_blobs: summary.treeBlobs,
    data_added: summary.dataAdded,
    data_added_packed: summary.dataAddedPacked,
    total_files_processed: summary.totalFilesProcessed,
    total_bytes_processed: summary.totalBytesProcessed,
  };
}

function timeOf(date: Date): string {
  return formatTime(BigInt(date.getTime()) * 1_000_000n);
}
