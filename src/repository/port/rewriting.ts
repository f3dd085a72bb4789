import type { Finding } from '../../domain/finding.ts';
import type { Snapshot } from '../../domain/snapshot.ts';

export interface RewriteOptions {
  /** Remove each old snapshot once the new one is there. Else both stay, the new one with a tag that tells it apart. */
  readonly forget: boolean;
  readonly dryRun: boolean;
  /** Told before the entries of each snapshot. */
  readonly onSnapshot?: (snapshot: Snapshot) => void;
  /** An entry that is changed or left out. What is lost is `damage`. */
  readonly onFinding?: (finding: Finding) => void;
}

/** How to change snapshots. */
export interface SnapshotChange {
  /** Patterns with restic's meaning, of paths within the snapshot. */
  readonly exclude?: readonly string[];
  /** The same without regard to upper and lower case. */
  readonly excludeAnyCase?: readonly string[];
  readonly hostname?: string;
  readonly time?: Date;
  /** Add a summary of files and bytes to the record. */
  readonly summary?: boolean;
}

/** A snapshot that was changed, or would be. */
export interface Rewritten {
  readonly before: Pick<Snapshot, 'id'>;
  /** Id of the new one. Absent in a dry run, and where the snapshot is gone. */
  readonly after?: string;
  /** Nothing of it can be read: it was removed, would be, or without `forget` was left as it is. */
  readonly unreadable?: true;
}
