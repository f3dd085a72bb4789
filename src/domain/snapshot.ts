/** One restorable point of one source, as the repository's record tells it (restic's snapshot record). */
export interface Snapshot {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** RFC 3339 with the zone of the machine that took it, as stored. */
  readonly time: string;
  readonly parent?: string;
  /** Tree id of the root directory. */
  readonly tree: string;
  readonly paths: readonly string[];
  readonly hostname: string;
  readonly username: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly excludes?: readonly string[];
  readonly tags?: readonly string[];
  readonly original?: string;
  readonly program_version?: string;
  readonly summary?: SnapshotSummary;
}

/** restic's own record of what a backup did (0.17 and newer write it). Sizes in bytes, times RFC 3339. */
export interface SnapshotSummary {
  readonly backup_start: string;
  readonly backup_end: string;
  readonly files_new: number;
  readonly files_changed: number;
  readonly files_unmodified: number;
  readonly dirs_new: number;
  readonly dirs_changed: number;
  readonly dirs_unmodified: number;
  readonly data_blobs: number;
  readonly tree_blobs: number;
  readonly data_added: number;
  readonly data_added_packed: number;
  readonly total_files_processed: number;
  readonly total_bytes_processed: number;
}

/** How much there is in all of the snapshot, by its record. */
export function totalsOf(summary: SnapshotSummary): { files: number; folders: number; bytes: number } {
  return {
    files: summary.total_files_processed,
    folders: summary.dirs_new + summary.dirs_changed + summary.dirs_unmodified,
    bytes: summary.total_bytes_processed,
  };
}

export const INCOMPLETE_TAG = 'incomplete';

/** Whether something that belongs in the snapshot is missing from it; such a one never counts as the last good one. */
export function isIncomplete(snapshot: Pick<Snapshot, 'tags'>): boolean {
  return snapshot.tags?.includes(INCOMPLETE_TAG) ?? false;
}

/** `full` trusts no parent, `differential` takes the last full as parent, `incremental` the last snapshot. */
export type SnapshotType = 'full' | 'differential' | 'incremental';

export interface SnapshotFilter {
  readonly hosts?: readonly string[];
  /** Each item is a list of tags that must all be present; any item may match. */
  readonly tags?: readonly (readonly string[])[];
  /** All must be among the snapshot's paths. */
  readonly paths?: readonly string[];
  /** Ids, unique id prefixes of four or more digits, or `latest`. Empty or absent: all. */
  readonly ids?: readonly string[];
}

/** A stored snapshot as a source sees it: the parent of a capture, or what is to be restored. */
export interface ReadableSnapshot {
  readonly id: string;
  /** The whole content of one small file (`/respaldo.json`), or undefined where there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** A file of any size, verified blob by blob as it is read. @throws RespaldoError `path-missing` */
  stream(path: string): AsyncIterable<Uint8Array>;
  /** What is in a folder, sorted by bytes; empty where there is no such folder. */
  list(path: string): Promise<readonly ListedEntry[]>;
}

export interface ListedEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  /** Of a file that is not empty: the bytes of its first blob, which tell the block size that it was cut with. */
  readonly firstBlobLength?: number;
}
