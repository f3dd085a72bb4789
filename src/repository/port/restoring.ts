import type { Finding } from '../../domain/finding.ts';

export type OverwritePolicy = 'always' | 'if-changed' | 'if-newer' | 'never';

/** Which entries of a snapshot are meant, by patterns with restic's meaning. Any of the lists may be empty. */
export interface RestoreSelection {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** The same, whatever the case of letters. */
  readonly iinclude?: readonly string[];
  readonly iexclude?: readonly string[];
}

/** What became of one entry. */
export interface RestoredItem {
  /** Within what is restored; of what was deleted the path in the target. */
  readonly path: string;
  readonly action: 'restored' | 'updated' | 'unchanged' | 'deleted';
  /** Bytes of a regular file; absent for anything else. */
  readonly size?: number;
}

export interface RestoreOptions extends RestoreSelection {
  /** Subtree of the snapshot; its content lands directly in the target. Default `/`. */
  readonly path?: string;
  /**
   * What to do with what exists in the target. Absent: the target must be missing, empty, or hold an unfinished
   * restore of the same snapshot, which is then completed.
   */
  readonly overwrite?: OverwritePolicy;
  /** Remove from the target what the selection covers and the snapshot does not hold. Needs `overwrite`. */
  readonly delete?: boolean;
  /** Leave holes where a file holds nothing but zeros. */
  readonly sparse?: boolean;
  /** Read what was written back, and compare it with the snapshot. */
  readonly verify?: boolean;
  /** Extended attributes that are meant, by patterns of their names. Default: all. */
  readonly attributes?: { readonly include: readonly string[] } | { readonly exclude: readonly string[] };
  /** Restore owners; default: whether we are root. */
  readonly owners?: boolean;
  readonly dryRun?: boolean;
  readonly onProgress?: (progress: RestoreProgress) => void;
  readonly onFinding?: (finding: Finding) => void;
  /** Told of each entry once it is done; in a dry run of each that would be. */
  readonly onItem?: (item: RestoredItem) => void;
}

export interface RestoreProgress {
  readonly filesTotal: number;
  readonly filesRestored: number;
  readonly filesSkipped: number;
  /** Entries that were removed from the target. Absent: none. */
  readonly filesDeleted?: number;
  readonly bytesTotal: number;
  readonly bytesRestored: number;
  readonly bytesSkipped: number;
}

/** Restored and durable, or thrown. */
export interface Restored extends RestoreProgress {
  /** Files that were read back and are right. Absent: that was not asked for. */
  readonly filesVerified?: number;
  readonly findings: readonly Finding[];
}
