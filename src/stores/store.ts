import type { Observation } from '../domain/observation.ts';
import { isError, RespaldoError } from '../errors.ts';

/** Where bytes lie. Keys are relative, slash-separated and never contain `..`: `config`, `data/ab/abcd…`. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
}

/** Sums that servers keep with objects. `MD5`: as S3 has it in an object's ETag. */
export type SumName = 'MD5' | 'CRC32' | 'SHA1' | 'SHA256';

/** A sum that a place keeps of an object, beside the one of what was sent. */
export interface SumComparison {
  readonly by: SumName;
  readonly isSame: boolean;
}

/** Reading. Every method may be called many times at once; all of them are idempotent. */
export interface ReadStore {
  /** For messages; holds no secret. */
  readonly location: string;

  /**
   * All objects whose key starts with `prefix` (which ends in `/` or is empty), in any order. Objects that are being
   * written are never listed. A missing place lists as empty.
   */
  list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject>;

  /** @throws RespaldoError `store-missing` if there is no such object. */
  stat(key: string, signal: AbortSignal): Promise<StoredObject>;

  /**
   * The object's bytes, or `length` of them from `offset`. A short read is an error, never a short answer. The bytes
   * are the caller's own, who may hand them to another thread.
   * @throws RespaldoError `store-missing` if there is no such object, `store-broken` if it is shorter than asked.
   */
  read(
    key: string,
    range: { readonly offset: number; readonly length: number } | undefined,
    signal: AbortSignal,
  ): Promise<Uint8Array>;

  /**
   * The path of a local file that holds exactly this object, where there is one: workers then read it themselves.
   * Says nothing about whether the object exists.
   */
  localPath?(key: string): string | undefined;
}

export interface Store extends ReadStore {
  /**
   * Whoever keeps the bytes has compared them with a checksum of ours before a write returns, or is this machine: to read
   * them back tells little. Absent: nobody has.
   */
  readonly compares?: true;

  /** A piece of {@link writeStream} is not looked at any more when the next one is asked for. Absent: it may be. */
  readonly writesAtOnce?: true;

  /** Makes the place (folders, bucket) if it is missing. Idempotent. */
  create(signal: AbortSignal): Promise<void>;

  /**
   * Makes the place alone, without the folders of a repository: for archives. Idempotent. Absent where `create` makes no
   * more than that.
   */
  makePlace?(signal: AbortSignal): Promise<void>;

  /**
   * All or nothing: afterwards the object is durable and listed with exactly these bytes. If it throws, what was under
   * `key` before is still there untouched, or (the error came after the last step) the whole new object is: never a
   * part. Writing the same key again replaces it, so that a failed write may simply be repeated.
   * @throws RespaldoError `store-full`, `store-refused`, `store-broken`.
   */
  write(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;

  /**
   * Like `write`, but only where nothing is: of several who try at once one succeeds. Absent where that cannot be had; a
   * server that does not know of it just writes.
   * @returns false where something is there already: somebody else's, or an earlier attempt's whose answer was lost
   */
  writeNew?(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<boolean>;

  /**
   * Like `write`, for content of a size that nobody knows and no memory holds: it is pulled piece by piece, as fast as
   * the place takes it; each piece is the store's own from then on. All or nothing: the object is there, durable and
   * listed, only if `content` ended by itself and this returned. What `content` throws is thrown as it is. Nothing can be
   * tried again, as content is pulled once. Absent where only whole objects can be written.
   * @returns how many bytes the object has
   */
  writeStream?(key: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number>;

  /**
   * Compares what {@link writeStream} of this store has sent under `key` with what the place says of what it has there, which
   * is not read for this. Absent, or undefined: the place says nothing that could be compared.
   */
  compareSums?(key: string, signal: AbortSignal): Promise<SumComparison | undefined>;

  /** Removes the object; no error if it is already gone. */
  remove(key: string, signal: AbortSignal): Promise<void>;

  /**
   * Removes what killed writers have left behind: objects begun a day ago and never finished, which no list shows; earlier
   * what a writer began who certainly lives no more. Absent where writers leave nothing.
   * @param isOurs whether an object that was to get this key is the caller's to remove: he is asked of all that lies in
   *   the place. Absent: he has the place for himself, and a repository in it.
   */
  sweep?(signal: AbortSignal, isOurs?: (key: string) => boolean): Promise<void>;

  /**
   * Tries and tells what only this kind of store has: conditions, parts, its server's clock. Writes below `folder`
   * alone, which ends in `/`, and leaves there what it has written. For `doctor`; the others need not have it.
   */
  examine?(folder: string, signal: AbortSignal): AsyncIterable<Observation>;

  /** Removes a folder with nothing in it; no error if it is gone, or not empty. Absent where there are no folders. */
  removeFolder?(key: string, signal: AbortSignal): Promise<void>;

  /** Releases connections. */
  close(): Promise<void>;
}

/**
 * A store that may have a cache before it. Whoever reads what is read again and again (indexes, snapshots, packs of
 * trees) goes through it, and through the store behind it for everything else.
 *
 * With a cache it keeps every index, snapshot and pack that is read or written through it. An answer comes from the
 * store, or its object hashes to its name; `list` and `stat` always ask the store. What the cache cannot do, it leaves.
 */
export interface NearStore extends Store {
  /**
   * The same without trust in what was kept before: an object's first read comes from the store itself. For who wants
   * to know what the store holds. Absent where nothing is kept.
   */
  afresh?(): NearStore;

  /** Drops what is kept in a folder (`data/`) and not wanted any more. Absent where nothing is kept. */
  retain?(folder: string, isWanted: (key: string) => boolean): Promise<void>;
}

/** Whether there is such an object. */
export async function hasObject(store: ReadStore, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await store.stat(key, signal);
    return true;
  } catch (error) {
    if (isError(error, 'store-missing')) return false;
    throw error;
  }
}

/** Suffix of a name under which an adapter keeps an object that is still being written; restic's are alike. */
const TEMPORARY = /-(tmp|restic-temp)-[0-9a-z]+$/;

/** Who writes objects, told from whoever else writes or wrote some in the same place. */
export interface Writer {
  /** Small letters and digits: in the names of objects that are being written. */
  readonly mark: string;
  /** Whether the writer with this mark has certainly ended. */
  isGone(mark: string): Promise<boolean>;
}

/** The key of the object that is being written under this name. */
export function keyOfTemporary(key: string): string {
  return key.replace(TEMPORARY, '');
}

/** Whether the last part of `key` is the name of an object that is still being written. */
export function isTemporary(key: string): boolean {
  return TEMPORARY.test(key);
}

/** Refuses what could leave the store's own folder, or could never be listed again. Only a bug gives such a key. */
export function assertKey(key: string): void {
  const sound = key !== '' && key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (!sound || key.includes('\0') || isTemporary(key)) {
    throw new RespaldoError('internal', `"${key}" cannot be the key of a stored object`);
  }
}
