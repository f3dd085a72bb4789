/**
 * The repository as the rest of the program sees it: deduplicated, encrypted snapshots in a store, in restic's format.
 * The words are restic's: blob, pack, index, tree, node, key, lock, parent.
 */
import type { Entry } from '../domain/entry.ts';
import type { Finding } from '../domain/finding.ts';
import type { ReadableSnapshot, Snapshot, SnapshotFilter } from '../domain/snapshot.ts';

/** What describes a new snapshot. */
export interface About {
  readonly time: Date;
  readonly hostname: string;
  readonly username: string;
  readonly paths: readonly string[];
  readonly tags: readonly string[];
  readonly excludes: readonly string[];
  /** Name and version of the program, as the record tells it. */
  readonly program?: string;
  /** Snapshot to reuse unchanged files from. Absent: read everything. */
  readonly parent?: Snapshot;
}

/** How far a save has come. Bytes are of the source, before deduplication. */
export interface SaveProgress {
  readonly filesDone: number;
  readonly bytesDone: number;
  /** Known so far; grows while a tree is still being listed. 0: unknown. */
  readonly filesTotal: number;
  readonly bytesTotal: number;
  readonly errorCount: number;
  readonly currentFiles: readonly string[];
}

export interface SaveOptions {
  readonly onProgress?: (progress: SaveProgress) => void;
  readonly onFinding?: (finding: Finding) => void;
  /** How much there is to read, as far as anybody knows; asked again and again. Zeros: unknown. */
  readonly expected?: () => { readonly files: number; readonly bytes: number };
  /** Count local trees ahead of reading them, in a thread of its own, so that progress knows its end. */
  readonly estimate?: boolean;
  /** Asked after the last entry: whether the source itself reported that something is missing. */
  readonly sourceIncomplete?: () => boolean;
  /** Read and hash everything, store nothing. */
  readonly dryRun?: boolean;
}

/** Restic's backup summary. Sizes in bytes. */
export interface SaveSummary {
  readonly filesNew: number;
  readonly filesChanged: number;
  readonly filesUnmodified: number;
  readonly dirsNew: number;
  readonly dirsChanged: number;
  readonly dirsUnmodified: number;
  readonly dataBlobs: number;
  readonly treeBlobs: number;
  /** Uncompressed size of the new blobs. */
  readonly dataAdded: number;
  /** What they take in the store. */
  readonly dataAddedPacked: number;
  readonly totalFilesProcessed: number;
  readonly totalBytesProcessed: number;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly findings: readonly Finding[];
}

export interface Saved {
  /** Absent for a dry run. */
  readonly snapshot?: Snapshot;
  readonly summary: SaveSummary;
}

/** One entry of a snapshot, as `ls`, `dump` and `find` need it. */
export interface ListedNode {
  /** Absolute path within the snapshot, in the string form of `domain/name.ts`. */
  readonly path: string;
  readonly name: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket' | 'irregular';
  /** Go's file mode bits, as restic stores them. */
  readonly mode: number;
  /** RFC 3339 with nanoseconds, as stored. */
  readonly mtime?: string;
  readonly atime?: string;
  readonly ctime?: string;
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
  readonly inode?: bigint;
  readonly deviceId?: bigint;
  readonly size: number;
  readonly links?: number;
  readonly linkTarget?: string;
  /** Values in base64. */
  readonly extendedAttributes?: readonly { readonly name: string; readonly value: string }[];
  /** Ids of the blobs, for files. */
  readonly content?: readonly string[];
  readonly subtree?: string;
}

export interface ListSelect {
  /** Only this path and what lies below it. Default `/`. */
  readonly path?: string;
  /** Default true. */
  readonly recursive?: boolean;
  /** Asked for each folder below, after it was yielded: whether to list what lies in it. Default: yes. */
  readonly enter?: (folder: ListedNode) => boolean;
}

export type OverwritePolicy = 'always' | 'if-changed' | 'if-newer' | 'never';

export interface RestoreOptions {
  /** Subtree of the snapshot; its content lands directly in the target. Default `/`. */
  readonly path?: string;
  /** Patterns with restic's meaning. Either may be empty. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /**
   * What to do with what exists in the target. Absent: the target must be missing, empty, or hold an unfinished
   * restore of the same snapshot, which is then completed.
   */
  readonly overwrite?: OverwritePolicy;
  /** Restore owners; default: whether we are root. */
  readonly owners?: boolean;
  readonly dryRun?: boolean;
  readonly onProgress?: (progress: RestoreProgress) => void;
  readonly onFinding?: (finding: Finding) => void;
}

export interface RestoreProgress {
  readonly filesTotal: number;
  readonly filesRestored: number;
  readonly filesSkipped: number;
  readonly bytesTotal: number;
  readonly bytesRestored: number;
  readonly bytesSkipped: number;
}

/** Restored and durable, or thrown. */
export interface Restored extends RestoreProgress {
  readonly findings: readonly Finding[];
}

export interface KeyInfo {
  readonly id: string;
  readonly current: boolean;
  readonly username: string;
  readonly hostname: string;
  readonly created: string;
}

export interface CheckOptions {
  /** Read, decrypt and hash every blob. Without it: structure, and that every pack is there with the right size. */
  readonly readData: boolean;
  readonly onProgress?: (done: number, total: number, what: 'snapshots' | 'packs') => void;
}

/** What a prune would do, and what it would free. Bytes as stored. */
export interface PrunePlan {
  readonly keepPacks: number;
  readonly repackPacks: readonly string[];
  readonly removePacks: readonly string[];
  /** Packs in the store that no index knows: left by a killed backup. */
  readonly unreferencedPacks: readonly string[];
  readonly bytes: {
    readonly total: number;
    readonly used: number;
    readonly unused: number;
    readonly repack: number;
    readonly remove: number;
    /** Freed when the plan is carried out. */
    readonly freed: number;
    /** Unused bytes that stay in packs worth keeping. */
    readonly unusedAfter: number;
  };
  readonly blobs: { readonly used: number; readonly unused: number; readonly duplicate: number };
}

export interface PrunePolicy {
  /** Unused bytes that may stay, as a share of the used ones. restic's default: 0.05. */
  readonly maxUnused: number;
}

/** A blob as an index lists it; one that lies in several packs is listed for each. Bytes as stored. */
export interface StoredBlob {
  readonly type: 'data' | 'tree';
  readonly id: string;
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
  /** 0: stored uncompressed. */
  readonly uncompressedLength: number;
}

/** A snapshot, or a folder in it. */
export interface DiffSide {
  readonly snapshot: Snapshot;
  /** Default `/`. */
  readonly path?: string;
}

export interface DiffOptions {
  /** Tell of entries whose metadata alone changed, too. */
  readonly metadata: boolean;
  readonly onChange: (change: Change) => void;
}

/** What became of an entry. */
export interface Change {
  /** Folders end in a slash. */
  readonly path: string;
  /** restic's letters: `+` `-` `M` content, `U` metadata, `T` type, `M?` content alone; several may stand together. */
  readonly modifier: string;
}

/** What is on one side of a comparison alone. */
export interface DiffTally {
  readonly files: number;
  readonly dirs: number;
  readonly others: number;
  readonly dataBlobs: number;
  readonly treeBlobs: number;
  /** Of these blobs, uncompressed. */
  readonly bytes: number;
}

export interface Difference {
  readonly changedFiles: number;
  readonly added: DiffTally;
  readonly removed: DiffTally;
}

/**
 * What to count, as restic does:
 * - `restore-size`: the entries of every snapshot, and the bytes that restoring them takes;
 * - `files-by-contents`: files of the same content once;
 * - `blobs-per-file`: of these, the blobs at each path;
 * - `raw-data`: the blobs that the snapshots need, as they are stored.
 */
export type StatsMode = 'restore-size' | 'files-by-contents' | 'blobs-per-file' | 'raw-data';

export interface StoredStats {
  readonly snapshots: number;
  /** 0 where the mode counts none. */
  readonly files: number;
  readonly blobs: number;
  readonly bytes: number;
  /** Of `raw-data`: bytes as they would be stored uncompressed. Zeros in repositories of version 1. */
  readonly compression?: {
    readonly uncompressed: number;
    readonly compressedBlobs: { readonly stored: number; readonly uncompressed: number };
  };
}

export interface CopyOptions {
  /** @param id of the copy */
  readonly onCopied?: (snapshot: Snapshot, id: string) => void;
  /** It was copied before. */
  readonly onSkipped?: (snapshot: Snapshot, copy: Snapshot) => void;
}

/** What a copy brought. Bytes are of the blobs' content. */
export interface CopySummary {
  readonly copied: number;
  readonly skipped: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** How to change tags. With `set` the other two count for nothing. */
export interface TagChange {
  /** The new tags. The tag `incomplete` stays where it is: only `remove` takes it. */
  readonly set?: readonly string[];
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** A snapshot's record was replaced: its ids. */
export interface Retagged {
  readonly before: string;
  readonly after: string;
}

/** What is stored one object a file. */
export type StoredType = 'key' | 'lock' | 'snapshot' | 'index' | 'pack';

export interface ListedObject {
  readonly id: string;
  /** Bytes as stored. */
  readonly size: number;
}

export interface ShownObject {
  readonly id: string;
  readonly bytes: Uint8Array;
}

export interface LockInfo {
  readonly id: string;
  readonly time: string;
  readonly exclusive: boolean;
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
}

export interface Repository {
  /** 64 hexadecimal digits: the id in its config. */
  readonly id: string;
  readonly version: 1 | 2;
  /** Where its files are cut: an irreducible polynomial over GF(2). */
  readonly polynomial: bigint;
  readonly location: string;
  /** Id of the key that the password opened. */
  readonly keyId: string;

  /**
   * Takes a shared lock. A finding `incomplete` (ours, or the source's) tags the snapshot `incomplete`. Durable order: packs, index, snapshot.
   * Nothing is listed unless everything it needs is. If `entries` throws, no snapshot is written.
   */
  save(entries: AsyncIterable<Entry>, about: About, options: SaveOptions, signal: AbortSignal): Promise<Saved>;

  /** Newest last. Needs no index. */
  snapshots(filter: SnapshotFilter, signal: AbortSignal): Promise<readonly Snapshot[]>;
  /**
   * The one snapshot that `text` names: an id, a unique prefix, or `latest` (the newest complete one that passes the
   * filter; the newest incomplete one only where there is no other).
   * @throws RespaldoError `snapshot-missing`, `usage` for an ambiguous prefix.
   */
  find(text: string, filter: SnapshotFilter, signal: AbortSignal): Promise<Snapshot>;

  /** Depth first, in the order of names' bytes. Directories before their content. */
  list(snapshot: Snapshot, select: ListSelect, signal: AbortSignal): AsyncIterable<ListedNode>;
  /** One file's bytes, verified blob by blob. */
  content(node: ListedNode, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** For sources. */
  readable(snapshot: Snapshot, signal: AbortSignal): ReadableSnapshot;
  /** Takes a shared lock. */
  restore(snapshot: Snapshot, target: string, options: RestoreOptions, signal: AbortSignal): Promise<Restored>;

  /** Takes an exclusive lock. Removes the records; `prune` frees the space. */
  forget(ids: readonly string[], signal: AbortSignal): Promise<void>;
  /** Plans and, unless `onPlan` answers false, carries out the plan under one exclusive lock. */
  prune(
    policy: PrunePolicy,
    onPlan: (plan: PrunePlan) => boolean | Promise<boolean>,
    signal: AbortSignal,
  ): Promise<PrunePlan>;
  /** Takes a shared lock. Ends after the last finding; none means clean. */
  check(options: CheckOptions, signal: AbortSignal): AsyncIterable<Finding>;

  /**
   * Compares two snapshots, or folders in them, in the order of names' bytes. What they share is not read twice.
   * @throws RespaldoError `path-missing`
   */
  diff(before: DiffSide, after: DiffSide, options: DiffOptions, signal: AbortSignal): Promise<Difference>;
  /** @throws RespaldoError `repository-damaged` if something cannot be counted */
  stats(snapshots: readonly Snapshot[], mode: StatsMode, signal: AbortSignal): Promise<StoredStats>;
  /**
   * Copies snapshots of another repository, with all that they need and this one lacks, sealed with this one's key.
   * Takes a shared lock in both. Those that were copied before are skipped; `original` keeps the first id.
   * @param filter of the source's snapshots
   */
  copyFrom(source: Repository, filter: SnapshotFilter, options: CopyOptions, signal: AbortSignal): Promise<CopySummary>;
  /**
   * Takes an exclusive lock. Replaces the records of the snapshots whose tags change; `original` keeps the first id.
   * @returns what was replaced
   */
  tag(filter: SnapshotFilter, change: TagChange, signal: AbortSignal): Promise<readonly Retagged[]>;

  /** What is stored of a type, in no order. */
  objects(type: StoredType, signal: AbortSignal): AsyncIterable<ListedObject>;
  /**
   * One object's JSON, verified and opened; a pack's bytes as they lie in the store, verified or not.
   * @param id or the beginning of one
   * @throws RespaldoError `store-missing`, `usage` for an ambiguous beginning
   */
  object(type: StoredType, id: string, signal: AbortSignal): Promise<ShownObject>;
  /** The JSON of the repository's config. */
  config(): Uint8Array;
  /** A blob's verified content. @param id or the beginning of one */
  blob(id: string, signal: AbortSignal): Promise<Uint8Array>;
  /** The JSON of a folder's tree. @throws RespaldoError `path-missing` */
  tree(snapshot: Snapshot, path: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Every blob that an index lists. */
  blobs(signal: AbortSignal): AsyncIterable<StoredBlob>;

  keys(signal: AbortSignal): Promise<readonly KeyInfo[]>;
  /** @returns the new key's id. */
  addKey(
    password: string,
    about: { readonly username: string; readonly hostname: string },
    signal: AbortSignal,
  ): Promise<string>;
  /** @throws RespaldoError `usage` for the key in use, or the last one. */
  removeKey(id: string, signal: AbortSignal): Promise<void>;
  /** Adds a key for the new password, then removes the one in use. @returns the new key's id. */
  changePassword(password: string, signal: AbortSignal): Promise<string>;

  locks(signal: AbortSignal): Promise<readonly LockInfo[]>;
  /** Removes stale locks, or all of them. @returns how many. */
  unlock(all: boolean, signal: AbortSignal): Promise<number>;

  /** Waits for the workers to end. */
  close(): Promise<void>;
}
