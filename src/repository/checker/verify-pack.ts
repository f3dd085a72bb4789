import { isError } from '../../errors.ts';
import type { Sealer } from '../format/crypto.ts';
import { hashId, type Id } from '../format/id.ts';
import { type PackedBlob, parsePackHeader } from '../format/pack.ts';
import { unpackBlob } from '../storage/blobs.ts';

/** What is wrong with a pack. Structured-cloneable. */
export interface PackReport {
  /** Of the pack as a whole. */
  readonly problems: readonly string[];
  /** Places in the list of blobs that was given. */
  readonly damagedBlobs: readonly { readonly position: number; readonly why: string }[];
}

/**
 * Reads a whole pack as suspiciously as can be: its hash is its id, its header says what the index says, every blob
 * opens, decompresses and hashes to its id.
 * @param listed its blobs as the index lists them
 */
export function verifyPack(sealer: Sealer, id: Id, bytes: Uint8Array, listed: readonly PackedBlob[]): PackReport {
  const problems: string[] = [];
  const actual = hashId(bytes);
  if (actual !== id) problems.push(`its content has the hash ${actual}`);
  const headerProblem = compareHeader(sealer, id, bytes, listed);
  if (headerProblem !== undefined) problems.push(headerProblem);

  const damagedBlobs: { position: number; why: string }[] = [];
  for (const [position, blob] of listed.entries()) {
    const why = blobProblem(sealer, bytes, blob);
    if (why !== undefined) damagedBlobs.push({ position, why });
  }
  return { problems, damagedBlobs };
}

function compareHeader(sealer: Sealer, id: Id, bytes: Uint8Array, listed: readonly PackedBlob[]): string | undefined {
  const header = attempt(() => parsePackHeader(id, bytes, bytes.length, sealer));
  if (typeof header === 'string') return header.replace(`pack ${id}`, 'it');
  const described = new Set(header.map(describe));
  const stray = listed.find((blob) => !described.has(describe(blob)));
  if (stray !== undefined) return `the index tells of ${stray.type} blob ${stray.id}, its header does not`;
  if (header.length !== listed.length)
    return `its header tells of ${header.length} blobs, the index of ${listed.length}`;
  return undefined;
}

function blobProblem(sealer: Sealer, pack: Uint8Array, blob: PackedBlob): string | undefined {
  const end = blob.offset + blob.length;
  if (end > pack.length) return 'the pack ends before it';
  const result = attempt(() => unpackBlob(sealer, pack.subarray(blob.offset, end), blob));
  return typeof result === 'string' ? result : undefined;
}

/** The result, or the message of the damage that was met. */
function attempt<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (isError(error, 'repository-damaged')) return error.message;
    throw error;
  }
}

function describe({ id, type, offset, length, uncompressedLength }: PackedBlob): string {
  return `${type} ${id} ${offset} ${length} ${uncompressedLength}`;
}
