import { isError, RespaldoError } from '../../errors.ts';
import type { ReadStore } from '../../stores/store.ts';
import type { Sealer } from '../format/crypto.ts';
import type { Id } from '../format/id.ts';
import type { PackedBlob } from '../format/pack.ts';
import { unpackBlob } from './blobs.ts';
import { packKey } from './objects.ts';

/** Blobs no further apart than this are read at once: the bytes between cost less than another request. */
const MAX_GAP = 128 * 1024;
/** What is read at once, unless one blob is larger. */
const MAX_RANGE = 4 * 1024 * 1024;

export interface ReadBlob<Blob extends PackedBlob> {
  readonly blob: Blob;
  /** The sealed bytes; absent if they could not be read. */
  readonly sealed?: Uint8Array;
  /** The verified content, or why there is none: `repository-damaged`. */
  readonly content: Uint8Array | RespaldoError;
}

/**
 * Reads several blobs of one pack with few requests and bounded memory, in the order of their offsets. Damage is an
 * answer, blob by blob; any other failure is thrown.
 */
export async function* readPackBlobs<Blob extends PackedBlob>(
  store: ReadStore,
  sealer: Sealer,
  pack: Id,
  blobs: readonly Blob[],
  signal: AbortSignal,
): AsyncGenerator<ReadBlob<Blob>, void, undefined> {
  for (const range of coalesce(blobs)) {
    const bytes = await readRange(store, pack, range, signal);
    for (const blob of range.blobs) yield unpack(sealer, pack, bytes, range, blob);
  }
}

interface Range<Blob> {
  readonly offset: number;
  end: number;
  readonly blobs: Blob[];
}

function coalesce<Blob extends PackedBlob>(blobs: readonly Blob[]): Range<Blob>[] {
  const ranges: Range<Blob>[] = [];
  for (const blob of blobs.toSorted((a, b) => a.offset - b.offset)) {
    const last = ranges.at(-1);
    const end = blob.offset + blob.length;
    if (last !== undefined && blob.offset - last.end <= MAX_GAP && end - last.offset <= MAX_RANGE) {
      last.blobs.push(blob);
      last.end = Math.max(last.end, end);
    } else ranges.push({ offset: blob.offset, end, blobs: [blob] });
  }
  return ranges;
}

/** The range's bytes, or fewer if the pack is truncated, or none if it is gone. */
async function readRange(
  store: ReadStore,
  pack: Id,
  { offset, end }: Range<unknown>,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const key = packKey(pack);
  try {
    return await store.read(key, { offset, length: end - offset }, signal);
  } catch (error) {
    if (isError(error, 'store-missing')) return undefined;
    const left = isError(error, 'store-broken') ? await bytesFrom(store, key, offset, signal) : undefined;
    if (left === undefined || left >= end - offset) throw error;
    return left <= 0 ? undefined : store.read(key, { offset, length: left }, signal);
  }
}

async function bytesFrom(store: ReadStore, key: string, offset: number, signal: AbortSignal): Promise<number> {
  return (await store.stat(key, signal)).size - offset;
}

function unpack<Blob extends PackedBlob>(
  sealer: Sealer,
  pack: Id,
  bytes: Uint8Array | undefined,
  range: Range<Blob>,
  blob: Blob,
): ReadBlob<Blob> {
  const start = blob.offset - range.offset;
  const sealed = bytes?.subarray(start, start + blob.length);
  if (sealed?.length !== blob.length) return { blob, content: cutOff(pack, blob) };
  try {
    return { blob, sealed, content: unpackBlob(sealer, sealed, blob) };
  } catch (error) {
    if (isError(error, 'repository-damaged')) return { blob, sealed, content: error };
    throw error;
  }
}

function cutOff(pack: Id, blob: PackedBlob): RespaldoError {
  return new RespaldoError(
    'repository-damaged',
    `${blob.type} blob ${blob.id} is damaged: pack ${pack} is missing or truncated`,
    { context: { blob: blob.id, pack } },
  );
}
