/** What the archiver's main thread and its workers say to each other. */
import type { Reading, Selection } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import type { RepositoryKey } from '../format/cipher.ts';
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import type { PackedBlob } from '../format/pack.ts';
import type { Packing } from '../format/packing.ts';
import type { ClaimsData, SegmentData } from '../storage/claims.ts';

export interface WorkerData {
  readonly key: RepositoryKey;
  readonly claims: ClaimsData;
  readonly polynomial: bigint;
  readonly packing: Packing;
  readonly dryRun: boolean;
  /** Answer with what became of each entry, too. */
  readonly tellItems: boolean;
}

/** Where the parent's tree of a directory is: on a local disk for the worker to read, or read already. A part has no id. */
export type ParentTree =
  | { readonly kind: 'local'; readonly id: Id; readonly file: string; readonly blob: PackedBlob }
  | { readonly kind: 'bytes'; readonly id?: Id; readonly bytes: Uint8Array };

export interface DirectoryTask {
  /** Absolute local path, in the string form of `domain/name.ts`. */
  readonly local: string;
  /** Only these entries, sorted by bytes; absent: all, or a listing where they are too many for one task. */
  readonly names?: readonly string[];
  readonly selection: number;
  /** The user named each of `names`: none is left out, and one that is missing is missed. */
  readonly explicit?: true;
  /** With `oneFileSystem`: entries on other devices are left out. */
  readonly device?: bigint;
  readonly parent?: ParentTree;
}

export interface ChunksTask {
  readonly kind: 'chunks';
  readonly bytes: Uint8Array;
  /** Lengths of the chunks that lie one behind the other in `bytes`. */
  readonly lengths: readonly number[];
}

export type Task =
  | {
      readonly kind: 'selection';
      readonly number: number;
      readonly selection: Selection;
      readonly reading: Reading;
    }
  | { readonly kind: 'directories'; readonly tasks: readonly DirectoryTask[] }
  | ChunksTask
  | { readonly kind: 'claims'; readonly segment: SegmentData }
  | { readonly kind: 'flush' };

/** A node that the main thread completes. */
export type OpenNode = OpenFolder | OpenFile;

/** A directory that lacks its subtree. */
export interface OpenFolder {
  /** `empty-directory`: the place where another file system is mounted. */
  readonly kind: 'directory' | 'empty-directory';
  /** Its JSON up to the subtree's id; behind that it is closed by `"}`. */
  readonly json: string;
  readonly local: string;
  readonly device: bigint;
  /** The parent snapshot's subtree. */
  readonly previous: Id | undefined;
}

/** A file that one worker alone should not read. */
export interface OpenFile {
  readonly kind: 'large-file';
  readonly node: Node;
  readonly local: string;
  /** Whether the parent snapshot has a file under this name. */
  readonly isKnown: boolean;
}

/** Finished nodes are encoded, comma-separated runs of them in one piece, in the order of names. */
export interface DirectoryAnswer {
  readonly kind: 'directory';
  readonly parts: readonly (Uint8Array | OpenNode)[];
  /** For a directory without open nodes: its tree; bytes only where the repository may lack it. */
  readonly tree: { readonly id: Id; readonly bytes?: Uint8Array } | undefined;
  /** Everything is as in the parent snapshot: if the subtrees are, too, this is the tree. */
  readonly same: Id | undefined;
  readonly tally: BlobTally & FileTally;
  readonly findings: readonly Finding[];
  /** None unless they are asked for. */
  readonly items: readonly ReadItem[];
  /** The directory itself was gone, or could not be read. */
  readonly absent: boolean;
}

/** A directory with more entries than one task should hold: ask for them in slices. */
export interface ListingAnswer {
  readonly kind: 'listing';
  /** Sorted by bytes. */
  readonly names: readonly string[];
}

/** Answers to the first of the tasks; the others were not begun. */
export interface DirectoriesAnswer {
  readonly kind: 'directories';
  readonly answers: readonly (DirectoryAnswer | ListingAnswer)[];
}

export interface ChunksAnswer {
  readonly kind: 'chunks';
  readonly ids: readonly Id[];
  /** The task's buffer, to be used again. */
  readonly bytes: Uint8Array;
  readonly tally: BlobTally;
}

export type Answer = DirectoriesAnswer | ChunksAnswer | { readonly kind: 'done' };

/** A pack that a thread filled, for the main thread to write. */
export interface FilledPack {
  readonly id: Id;
  /** Alone in its buffer, which moves with it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The pack's part of an index file. */
  readonly index: Uint8Array;
  readonly blobs: number;
}

/** New blobs: uncompressed bytes, and bytes as stored. */
export interface BlobTally {
  readonly blobs: number;
  readonly bytes: number;
  readonly stored: number;
}

/** What became of one entry that a worker has looked at. */
export interface ReadItem {
  /** Local path. */
  readonly local: string;
  readonly action: 'new' | 'modified' | 'unchanged' | 'excluded';
  readonly added: Added;
  readonly milliseconds: number;
}

/** New bytes: uncompressed, and as stored. */
export interface Added {
  readonly bytes: number;
  readonly stored: number;
}

export interface FileTally {
  readonly filesNew: number;
  readonly filesChanged: number;
  readonly filesUnmodified: number;
  /** Sizes of all files seen. */
  readonly fileBytes: number;
}
