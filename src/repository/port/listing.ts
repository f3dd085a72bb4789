/** One entry of a snapshot, as `ls`, `dump` and `find` need it. */
export interface ListedNode {
  /** Absolute path within the snapshot, in the string form of `domain/name.ts`. */
  readonly path: string;
  readonly name: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket' | 'irregular';
  /** Go's file mode bits, as restic stores them. */
  readonly mode: number;
  /** RFC 3339 with nanoseconds, as stored. */
  readonly mtime?: string;
  readonly atime?: string;
  readonly ctime?: string;
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
  readonly inode?: bigint;
  readonly deviceId?: bigint;
  readonly size: number;
  readonly links?: number;
  readonly linkTarget?: string;
  /** Values in base64. */
  readonly extendedAttributes?: readonly { readonly name: string; readonly value: string }[];
  /** Ids of the blobs, for files. */
  readonly content?: readonly string[];
  readonly subtree?: string;
}

export interface ListSelect {
  /** Only this path and what lies below it. Default `/`. */
  readonly path?: string;
  /** Default true. */
  readonly recursive?: boolean;
  /** Asked for each folder below, after it was yielded: whether to list what lies in it. Default: yes. */
  readonly enter?: (folder: ListedNode) => boolean;
}
