/**
 * Which packs to read: the `part`th of so many parts, the same packs every time, or so many of them by chance: a share of
 * their number, or that which these bytes are of the whole.
 */
export type DataSubset =
  { readonly part: number; readonly parts: number } | { readonly percent: number } | { readonly bytes: number };

export interface CheckOptions {
  /** Read, decrypt and hash every blob, or those of some packs. Without it: structure, and that every pack is there with the right size. */
  readonly readData: boolean | DataSubset;
  readonly onProgress?: (done: number, total: number, what: 'snapshots' | 'packs') => void;
}
