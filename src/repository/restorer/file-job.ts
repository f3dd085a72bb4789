import { SEAL_OVERHEAD } from '../format/crypto.ts';
import type { Id } from '../format/id.ts';
import type { PackedBlob } from '../format/pack.ts';
import type { Located } from '../storage/blob-index.ts';
import type { Metadata } from './metadata.ts';

/** One regular file to be restored. Paths in the string form of `domain/name.ts`. */
export interface FileJob {
  /** Within what is restored: for messages. */
  readonly location: string;
  /** Where the file belongs. */
  readonly path: string;
  readonly metadata: Metadata;
  /** Its content, in order. */
  readonly blobs: readonly Located[];
  /** Bytes: the sum of its blobs. */
  readonly size: number;
  /** Names that the file had. */
  readonly links: number;
  /** Of a regular file at `path`: there is none, its content is right, or that has to be looked at. */
  readonly existing: 'none' | 'right' | 'compare';
  /**
   * Where the bytes are written: to `path`, or to a file beside it that gets its name when it is finished, so that
   * what was there stays until then.
   */
  readonly writeTo: string;

  /** `writeTo` is there, and these of the blobs are in it. */
  present: readonly boolean[] | undefined;
  /** All of it is one task's, which makes and finishes the file. */
  whole: boolean;
  /** `writeTo` was made by the main thread, which then also removes it if need be. */
  made: boolean;
  /** Tasks that still have to write to it. */
  pending: number;
  /** Blobs that could not be read, with the reason. */
  readonly damaged: Map<Id, string>;
  /** Bytes that were written, or were in it. */
  written: number;
  /** Why the target refused it. */
  refusal: string | undefined;
}

export function plainLength(blob: PackedBlob): number {
  return blob.uncompressedLength === 0 ? blob.length - SEAL_OVERHEAD : blob.uncompressedLength;
}

export function isSpoiled(job: FileJob): boolean {
  return job.damaged.size > 0 || job.refusal !== undefined;
}
