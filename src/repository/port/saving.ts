import type { Finding } from '../../domain/finding.ts';
import type { Snapshot } from '../../domain/snapshot.ts';

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

/** What became of one entry. Bytes are those that were new to the repository: uncompressed, and as stored. */
export interface SavedItem {
  /** Within the snapshot, a folder's with a slash at its end; of what was left out the local path. */
  readonly path: string;
  readonly action: 'new' | 'modified' | 'unchanged' | 'excluded';
  readonly added: { readonly bytes: number; readonly stored: number };
  readonly milliseconds: number;
}

export interface SaveOptions {
  readonly onProgress?: (progress: SaveProgress) => void;
  readonly onFinding?: (finding: Finding) => void;
  /** Told of each file and folder once it is saved, and of what is left out. */
  readonly onItem?: (item: SavedItem) => void;
  /** How much there is to read, as far as anybody knows; asked again and again. Zeros: unknown. */
  readonly expected?: () => { readonly files: number; readonly bytes: number };
  /** Count local trees ahead of reading them, in a thread of its own, so that progress knows its end. */
  readonly estimate?: boolean;
  /** Asked after the last entry: whether the source itself reported that something is missing. */
  readonly sourceIncomplete?: () => boolean;
  /** Read and hash everything, store nothing. */
  readonly dryRun?: boolean;
  /** Write no snapshot that would hold exactly what its parent holds. */
  readonly skipIfUnchanged?: boolean;
  /** Files that are read at once. Default: as many as this machine has processors, up to four. */
  readonly readConcurrency?: number;
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
  /** Absent for a dry run, and for what is unchanged if that is to be skipped. */
  readonly snapshot?: Snapshot;
  readonly summary: SaveSummary;
}
