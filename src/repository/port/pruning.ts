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

/** What to do, with restic's meaning. */
export interface PrunePolicy {
  /** Unused bytes that may stay: a share of the used ones, or bytes. */
  readonly maxUnused: number | { readonly bytes: number };
  /** Repack less than so many bytes. Default: as many as it takes. */
  readonly maxRepackBytes?: number;
  /** Repack no packs of data, which a cache does not keep. */
  readonly cacheableOnly?: boolean;
  /** Repack data that is not compressed, too. Not in version 1. */
  readonly compress?: boolean;
  /**
   * Put packs together that are smaller than so many bytes, if there are several; or, `small`, below four fifths of the
   * usual size. Default: below a twenty-fifth of it.
   */
  readonly smallerThan?: number | 'small';
  /** Carry nothing out, whatever is said of the plan. */
  readonly planOnly?: boolean;
  /** Plan as though these snapshots were gone already. Such a plan is never carried out. */
  readonly without?: readonly string[];
}
