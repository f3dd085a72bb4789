import type { Finding } from '../../domain/finding.ts';

export interface IndexRepairOptions {
  /** Believe no index: read the header of every pack. */
  readonly readAllPacks: boolean;
  readonly onFinding?: (finding: Finding) => void;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What became of an index. */
export interface IndexRepair {
  /** Packs whose headers were read and that are in the index now. */
  readonly packsAdded: number;
  /** Packs that the index told of and that are not there. */
  readonly packsForgotten: number;
  /** Packs whose header cannot be read; of these, what can still be read stays in the index. */
  readonly damagedPacks: readonly string[];
  /** Index files that were replaced. */
  readonly filesReplaced: number;
}

export interface PackRepairOptions {
  /**
   * Keeps a damaged pack's bytes outside of the repository; nothing is removed before this has resolved for every pack.
   */
  readonly keepCopy: (id: string, bytes: Uint8Array) => Promise<void>;
  readonly onFinding?: (finding: Finding) => void;
}

export interface PackRepair {
  /** Packs that were taken out of the repository. */
  readonly packs: number;
  /** Blobs that are in other packs now. */
  readonly saved: number;
  /** Blobs that could not be read; another pack may hold some of them. */
  readonly lost: number;
}
