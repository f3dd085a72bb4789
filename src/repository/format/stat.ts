import type { NodeType } from './node.ts';

/** What a file system says of an entry, as nodes need it. */
export interface Stat {
  readonly type: NodeType;
  /** Permission bits, with set-uid, set-gid and sticky. */
  readonly permissions: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; meaningful for files alone. */
  readonly size: number;
  readonly inode: bigint;
  readonly device: bigint;
  /** Of a device file: which one it is. */
  readonly rdev: bigint;
  /** Of the last reading of the content. */
  readonly atime: Instant;
  /** Of its last change. */
  readonly mtime: Instant;
  /** Of the last change of anything. */
  readonly ctime: Instant;
}

/** Seconds after 1970 UTC, and the nanoseconds to add: 0 … 999,999,999. */
export interface Instant {
  readonly seconds: number;
  readonly nanoseconds: number;
}
