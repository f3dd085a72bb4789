import { isError, RespaldoError } from '../../errors.ts';
import type { ReadStore } from '../../stores/store.ts';
import type { RepositoryContext } from '../context.ts';
import { decompress } from '../format/compress.ts';
import type { Sealer } from '../format/crypto.ts';
import { hashId, type Id } from '../format/id.ts';
import type { BlobType, PackedBlob } from '../format/pack.ts';
import { releaseIfLarge } from '../workers/release.ts';
import type { BlobIndex, Located } from './blob-index.ts';
import { packKey } from './objects.ts';

/** Trees are read again and again by walks; what was read lately is kept, up to this many bytes. */
const TREE_CACHE_BYTES = 16 * 1024 * 1024;

/** The largest pack that restic makes; pieces of files are far smaller. Whoever claims more wants all of the memory. */
const MAX_DATA = 128 * 1024 * 1024;

/** Up to so many bytes are kept for the next blob that is opened. */
const MAX_KEPT = 9 * 1024 * 1024;
let kept = new Uint8Array(0);

/** Where compressed bytes lie for a moment. */
function scratch(length: number): Uint8Array {
  if (length <= kept.length) return kept;
  const fresh = new Uint8Array(length);
  if (length <= MAX_KEPT) kept = fresh;
  return fresh;
}

/**
 * The content of a sealed blob: opened, decompressed, and verified against its id. Usable in any thread.
 * @param room where the content may be put; whoever gives it works with what is returned
 * @throws RespaldoError `repository-damaged`
 */
export function unpackBlob(sealer: Sealer, sealed: Uint8Array, blob: PackedBlob, room?: Uint8Array): Uint8Array {
  if (blob.type === 'data' && blob.uncompressedLength > MAX_DATA)
    throw damagedBlob(blob, `no piece of a file has ${blob.uncompressedLength} bytes`);
  try {
    const plain = open(sealer, sealed, blob, room);
    if (hashId(plain) === blob.id) return plain;
  } catch (error) {
    throw damagedBlob(blob, error instanceof Error ? error.message : String(error), error);
  }
  throw damagedBlob(blob, 'its content does not match its id');
}

function open(sealer: Sealer, sealed: Uint8Array, blob: PackedBlob, room: Uint8Array | undefined): Uint8Array {
  if (blob.uncompressedLength > 0)
    return decompress(sealer.openInto(sealed, scratch(sealed.length)), blob.uncompressedLength, room);
  return room !== undefined && room.length >= sealed.length ? sealer.openInto(sealed, room) : sealer.open(sealed);
}

/** What reading blobs takes. */
export type ReadContext = Pick<RepositoryContext, 'store' | 'nearby' | 'sealer'>;

/** Reads blobs wherever they lie. */
export class BlobReader {
  readonly #stores: Readonly<Record<BlobType, ReadStore>>;
  readonly #sealer: Sealer;
  readonly #index: BlobIndex;
  readonly #trees = new Map<Id, Uint8Array>();
  #treeBytes = 0;

  constructor({ store, nearby, sealer }: ReadContext, index: BlobIndex) {
    this.#stores = { data: store, tree: nearby };
    this.#sealer = sealer;
    this.#index = index;
  }

  /**
   * The blob's verified content; the caller does not change it. If one pack is damaged, others that hold the blob are
   * tried.
   * @throws RespaldoError `repository-damaged` that names blob and pack
   */
  async load(type: BlobType, id: Id, signal: AbortSignal): Promise<Uint8Array> {
    const kept = type === 'tree' ? this.#trees.get(id) : undefined;
    if (kept !== undefined) return this.#keep(id, kept);
    const plain = await this.#loadAnyOf(type, id, signal);
    return type === 'tree' ? this.#keep(id, plain) : plain;
  }

  /** The same, kept nowhere: the bytes are the caller's own, to be released too. */
  async loadOnce(type: BlobType, id: Id, signal: AbortSignal): Promise<Uint8Array> {
    return this.#loadAnyOf(type, id, signal);
  }

  async #loadAnyOf(type: BlobType, id: Id, signal: AbortSignal): Promise<Uint8Array> {
    let failure: RespaldoError | undefined;
    for (const place of this.#index.findAll(type, id)) {
      try {
        return await this.#loadFrom(place, signal);
      } catch (error) {
        if (!isError(error, 'repository-damaged')) throw error;
        failure ??= error;
      }
    }
    throw failure ?? missingBlob(type, id);
  }

  async #loadFrom(place: Located, signal: AbortSignal): Promise<Uint8Array> {
    const { pack, offset, length } = place;
    let sealed: Uint8Array;
    try {
      sealed = await this.#stores[place.type].read(packKey(pack), { offset, length }, signal);
    } catch (error) {
      // A pack that is gone or too short is damage; a network that fails is not.
      if (isError(error, 'store-missing')) throw damagedBlob(place, `pack ${pack} is missing`, error);
      if (isError(error, 'store-broken') && (await this.#isTruncated(place, signal)))
        throw damagedBlob(place, `pack ${pack} is truncated`, error);
      throw error;
    }
    try {
      const plain = unpackBlob(this.#sealer, sealed, place);
      releaseIfLarge(sealed);
      return plain;
    } catch (error) {
      throw inPack(place, error);
    }
  }

  async #isTruncated({ type, pack, offset, length }: Located, signal: AbortSignal): Promise<boolean> {
    const { size } = await this.#stores[type].stat(packKey(pack), signal);
    return size < offset + length;
  }

  /** Least recently used go first. */
  #keep(id: Id, tree: Uint8Array): Uint8Array {
    if (!this.#trees.delete(id)) this.#treeBytes += tree.length;
    this.#trees.set(id, tree);
    for (const [oldest, bytes] of this.#trees) {
      if (this.#treeBytes <= TREE_CACHE_BYTES) break;
      this.#trees.delete(oldest);
      this.#treeBytes -= bytes.length;
    }
    return tree;
  }
}

/** The error for a blob that no index lists. */
function missingBlob(type: BlobType, id: Id): RespaldoError {
  return new RespaldoError('repository-damaged', `${type} blob ${id} is in no index`, {
    hint: 'Run `respaldo check` to learn which snapshots are hit.',
    context: { blob: id, type },
  });
}

function damagedBlob(blob: PackedBlob, what: string, cause?: unknown): RespaldoError {
  return new RespaldoError('repository-damaged', `${blob.type} blob ${blob.id} is damaged: ${what}`, {
    hint: 'Run `respaldo check --read-data` to learn what else is damaged.',
    context: { blob: blob.id, type: blob.type },
    ...(cause === undefined ? {} : { cause }),
  });
}

function inPack(place: Located, error: unknown): unknown {
  if (!(error instanceof RespaldoError)) return error;
  return new RespaldoError(error.code, `${error.message} (in pack ${place.pack})`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    context: { ...error.context, pack: place.pack },
    cause: error.cause,
  });
}
