import type { Snapshot } from '../../domain/snapshot.ts';

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
