import type { Snapshot } from '../../domain/snapshot.ts';

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
