/** How blobs become packs, as a user asks for it. */
export interface PackingOptions {
  /** A pack is finished once it has this many bytes; its last blob may take it beyond. Default 16 MiB. */
  readonly packBytes?: number;
  /** `off`: file content is stored as it is; trees, indexes and snapshots are compressed all the same. Default `auto`. */
  readonly compression?: 'off' | 'auto' | 'max';
}
