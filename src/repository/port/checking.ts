export interface CheckOptions {
  /** Read, decrypt and hash every blob. Without it: structure, and that every pack is there with the right size. */
  readonly readData: boolean;
  readonly onProgress?: (done: number, total: number, what: 'snapshots' | 'packs') => void;
}
