/** Brings finished files from where they lie already to where they should be, and describes them there. */
import { type RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import type { Store } from '../stores/store.ts';
import type { ArchivePlace, Manifest, Proof, Sum, WrittenFile } from './archive.ts';
import { confirm } from './arrival.ts';
import { sameBytes } from './copy.ts';
import { removeArchivedFile } from './listing.ts';
import { encodeManifest, manifestKey } from './manifest.ts';
import { beginSending, endSending } from './under-way.ts';

/** How long what failed may take to be cleaned up. Milliseconds. */
const CLEANING = 10_000;

export interface WriteOptions {
  readonly signal: AbortSignal;
  /** Told how many plain bytes have come. */
  readonly onProgress?: (bytes: number) => void;
  /** Told of each failure after which a file is sent once more, from where it lies already. */
  readonly onRetry?: (place: ArchivePlace, error: RespaldoError) => void;
}

/** A place where a file is being written. */
export interface Target {
  readonly place: ArchivePlace;
  /** Of the file at its place. */
  readonly key: string;
  /** Where its bytes go first. */
  readonly first: Store;
  failure?: RespaldoError;
  confirmedBy?: Proof;
}

/**
 * Gives one place its file, from the temporary folder or, where the store broke, from a place that has it; then its
 * manifest.
 * @param all whom the same bytes went to
 */
export async function finish(
  target: Target,
  all: readonly Target[],
  manifest: Manifest,
  options: WriteOptions,
): Promise<WrittenFile> {
  const { place, key, failure } = target;
  const { store, temp } = place;
  const { stored } = manifest;
  const { signal } = options;
  const staged = failure === undefined ? temp : undefined;
  try {
    if (staged !== undefined) await beginSending(place, key, manifest, signal);
    await undoneIfFailed(store, key, async () => {
      if (staged !== undefined) target.confirmedBy = await sent({ store: staged, key }, target, stored, options);
      else if (failure !== undefined) target.confirmedBy = await sentAgain(target, all, stored, failure, options);
      await store.write(manifestKey(key), encodeManifest(manifest), signal);
    });
    await staged?.remove(key, signal);
    if (staged !== undefined) await endSending(place, key, signal);
    return { place, key, manifest, confirmedBy: target.confirmedBy ?? 'size' };
  } catch (error) {
    throwIfAborted(signal);
    const isLeft = staged !== undefined && (await leave(staged, key, manifest, signal));
    if (isLeft) await endSending(place, key, signal);
    return { place, key, error: toRespaldoError(error), ...(isLeft && { leftIn: `${staged.location}/${key}` }) };
  }
}

/** Nothing stays under a name that could be taken for a file's. */
async function undoneIfFailed(store: Store, key: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await removeArchivedFile(store, key, AbortSignal.timeout(CLEANING)).catch(() => undefined);
    throw error;
  }
}

/** With its manifest a file can be sent by the next run. @returns whether it has one */
async function leave(temp: Store, key: string, manifest: Manifest, signal: AbortSignal): Promise<boolean> {
  try {
    await temp.write(manifestKey(key), encodeManifest(manifest), signal);
    return true;
  } catch {
    throwIfAborted(signal);
    return false;
  }
}

interface Stored {
  readonly store: Store;
  readonly key: string;
}

/** Once more, from the first place that has the same bytes. */
async function sentAgain(
  target: Target,
  all: readonly Target[],
  stored: Sum,
  failure: RespaldoError,
  options: WriteOptions,
): Promise<Proof> {
  const source = all.find((other) => other !== target && other.failure === undefined);
  if (source === undefined) throw failure;
  options.onRetry?.(target.place, failure);
  return sent({ store: source.first, key: source.key }, target, stored, options, failure);
}

const ATTEMPTS = 2;

/** @param before why the first attempt failed, where there was one */
async function sent(
  from: Stored,
  { place, key }: Target,
  stored: Sum,
  { signal, onRetry }: WriteOptions,
  before?: RespaldoError,
): Promise<Proof> {
  for (let attempt = before === undefined ? 1 : 2; ; attempt++) {
    try {
      await place.store.writeStream?.(key, sameBytes(from.store, from.key, stored, signal), signal);
      return await confirm(place, key, stored, signal);
    } catch (error) {
      throwIfAborted(signal);
      if (attempt >= ATTEMPTS) throw error;
      onRetry?.(place, toRespaldoError(error));
    }
  }
}
