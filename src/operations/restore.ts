import type { Finding } from '../domain/finding.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { OverwritePolicy, Repository, RestoreProgress } from '../repository/repository.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { SourceKind } from '../sources/source.ts';

export interface RestoreRequest {
  readonly snapshot: Snapshot;
  /** An absolute path. */
  readonly target: string;
  /** Subtree of the snapshot; absent: all of it. */
  readonly path?: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Absent: the target must be missing, empty, or hold an unfinished restore of the same snapshot. */
  readonly overwrite?: OverwritePolicy;
  readonly owners?: boolean;
  /** Restore a database snapshot's raw files, not a usable database. */
  readonly raw?: boolean;
  readonly dryRun: boolean;
}

export interface RestorePorts {
  readonly repository: Repository;
  readonly runtime: Runtime;
  /** Every kind of source, from `sources/index.ts`. */
  readonly kinds: readonly SourceKind[];
  readonly onProgress?: (progress: RestoreProgress) => void;
  readonly onFinding?: (finding: Finding) => void;
}

/** What a restore would do, as data: to be shown before anything is written. */
export interface RestorePlan {
  readonly request: RestoreRequest;
  /** `files`: the tree as it is. A kind: that source makes a usable database of it. */
  readonly as: 'files' | SourceKind['name'];
  /** What the request selects. Bytes are uncompressed. */
  readonly selected: { readonly files: number; readonly folders: number; readonly bytes: number };
  readonly target: TargetState;
}

/** What lies where a restore would write. */
export interface TargetState {
  readonly exists: boolean;
  /** Entries directly in it. */
  readonly entries: number;
  /** Bytes that this user may still write there. */
  readonly freeBytes: number;
}

export interface RestoreOutcome {
  /** `incomplete`: something could not be restored; exit 3. */
  readonly state: 'succeeded' | 'incomplete';
  readonly progress: RestoreProgress;
  readonly findings: readonly Finding[];
}
