/**
 * The narrow waist: what a source yields and a repository or archive stores.
 *
 * Content is pulled, never pushed: whoever stores an entry reads its content to the end before asking for the next
 * entry, so that a source can hand out pieces of one stream (a tar, a COPY) without buffering it.
 */
import type { Finding } from './finding.ts';

/** What a file system says of an entry. Times are nanoseconds since 1970 UTC. */
export interface Metadata {
  /** Permission bits with set-uid, set-gid and sticky: 0o0000 … 0o7777. */
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly atimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
  readonly inode?: bigint;
  readonly deviceId?: bigint;
  readonly links?: number;
}

/**
 * How a file's content is cut into blobs: where its bytes suggest it, as restic does; the same in smaller pieces, of
 * about `average` bytes, for what changes in many places; the same at ends of lines alone, where each line is a record
 * of its own; or every `block` bytes.
 */
export type Cut =
  | 'content'
  | { readonly average: number }
  | { readonly average: number; readonly at: 'lines' }
  | { readonly block: number };

/** A file's bytes. An iterable yields pieces of any size; a piece may be overwritten once the next one is asked for. */
export type Content = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | ByteReader;

/** Bytes that can also go straight to where they are wanted: fewer copies than with pieces. One way or the other. */
export interface ByteReader extends AsyncIterable<Uint8Array> {
  /** Fills the beginning of `space`, which is never empty. @returns how many bytes came; 0 at the end */
  readonly read: (space: Uint8Array) => Promise<number>;
}

/** Paths are absolute within the snapshot (`/data/base/1`), in the string form of `name.ts`. */
export interface FileEntry {
  readonly kind: 'file';
  readonly path: string;
  readonly metadata: Metadata;
  readonly content: Content;
  /** Default: `'content'`. */
  readonly cut?: Cut;
}

export interface DirectoryEntry {
  readonly kind: 'directory';
  readonly path: string;
  readonly metadata: Metadata;
}

export interface SymlinkEntry {
  readonly kind: 'symlink';
  readonly path: string;
  readonly metadata: Metadata;
  readonly target: string;
}

/** Folders and files of this machine that the repository's workers walk and read themselves. */
export interface LocalTree {
  readonly kind: 'local-tree';
  /** As restic takes them: absolute paths keep their whole chain of parents, relative ones theirs, `.` none. */
  readonly targets: readonly string[];
  /** The folder that relative targets start from: an absolute path. */
  readonly workingDirectory: string;
  readonly selection: Selection;
  /** Default: all of them as they are. */
  readonly reading?: Reading;
}

/** Which entries of a local tree are left out. Patterns have restic's meaning. */
export interface Selection {
  readonly exclude: readonly string[];
  /** The same, whatever the case of letters. */
  readonly iexclude?: readonly string[];
  readonly oneFileSystem: boolean;
  /** Leave out what lies in folders marked by a valid CACHEDIR.TAG. */
  readonly excludeCaches: boolean;
  /** Leave out what lies in folders that hold such a file, except that file. */
  readonly excludeIfPresent?: readonly FolderMark[];
  /** Leave out what is no folder and has more bytes. */
  readonly excludeLargerThan?: number;
}

/** A file that marks the folder it lies in. */
export interface FolderMark {
  readonly name: string;
  /** What its content must begin with; empty: anything. */
  readonly header: string;
}

/** How a local tree's files are compared with the parent snapshot, and what is stored of them. */
export interface Reading {
  /** A file whose inode or time of change differs may still be unchanged: for file systems that invent both. */
  readonly ignoreInode?: boolean;
  /** A file whose time of change differs may still be unchanged. */
  readonly ignoreCtime?: boolean;
  /** Store times of access too, not times of modification in their place. */
  readonly withAtime?: boolean;
}

/** A file or folder, with all that is in it, that the parent snapshot holds at the same path: taken over as it is. */
export interface KeptTree {
  readonly kind: 'kept-tree';
  readonly path: string;
}

export type Entry = FileEntry | DirectoryEntry | SymlinkEntry | LocalTree | KeptTree;

/** What a capture learned beside its entries: handed over through {@link SourceIo.report}. */
export type Report = (finding: Finding) => void;
