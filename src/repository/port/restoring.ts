import type { Finding } from '../../domain/finding.ts';

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
