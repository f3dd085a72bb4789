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
