/** A change of a repository's format. */
export interface Migration {
  /** restic's name for it. */
  readonly name: string;
  readonly summary: string;
}

export interface MigrateOptions {
  /** Keeps the config as it was, outside of the repository; nothing is changed before this has resolved. */
  readonly keepCopy: (config: Uint8Array) => Promise<void>;
}
