import { RespaldoError } from '../../errors.ts';
import type { Store } from '../../stores/store.ts';
import { compress, decompress } from '../format/compress.ts';
import type { Sealer } from '../format/crypto.ts';
import { hashId, type Id, isId } from '../format/id.ts';
import { releaseIfLarge } from '../workers/release.ts';
import type { LockPolicy } from '../repository.ts';

/** What is stored one object a file, beside packs and the config. */
export type ObjectType = 'key' | 'lock' | 'snapshot' | 'index';

const FOLDERS: Record<ObjectType, string> = {
  key: 'keys/',
  lock: 'locks/',
  snapshot: 'snapshots/',
  index: 'index/',
};

/** Where the config lies in the store. */
export const CONFIG_KEY = 'config';
const PACK_FOLDER = 'data/';
/** First byte of compressed JSON in a repository of version 2. */
const COMPRESSED = 0x02;
const OPENING_BRACKETS: readonly number[] = [0x7b, 0x5b];
/** Index and snapshots compress well at any level; restic's default is about this one. */
const COMPRESS_LEVEL = 3;

export interface ListedObject {
  readonly id: Id;
  /** Bytes as stored. */
  readonly size: number;
}

/** Where a pack lies in the store. */
export function packKey(id: Id): string {
  return `${PACK_FOLDER}${id.slice(0, 2)}/${id}`;
}

/** The pack that lies there. */
export function packIdOf(key: string): Id {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** Where an object of this type lies in the store. */
export function objectKey(type: ObjectType, id: Id): string {
  return FOLDERS[type] + id;
}

/** Ids of a type of object. What is not named by an id is not ours and left out. */
export async function* listObjects(
  store: Pick<Store, 'list'>,
  type: ObjectType,
  signal: AbortSignal,
): AsyncIterable<ListedObject> {
  const folder = FOLDERS[type];
  for await (const { key, size } of store.list(folder, signal)) {
    const name = key.slice(folder.length);
    if (isId(name)) yield { id: name, size };
  }
}

/** All packs in the store, known to an index or not. */
export async function* listPacks(store: Pick<Store, 'list'>, signal: AbortSignal): AsyncIterable<ListedObject> {
  for await (const { key, size } of store.list(PACK_FOLDER, signal)) {
    const name = packIdOf(key);
    if (isId(name) && key === packKey(name)) yield { id: name, size };
  }
}

/**
 * An object's bytes, which hash to its id.
 * @throws RespaldoError `store-missing`, `repository-damaged`
 */
export async function readObject(
  store: Pick<Store, 'read'>,
  type: ObjectType,
  id: Id,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = await store.read(objectKey(type, id), undefined, signal);
  if (hashId(bytes) !== id) throw damaged(type, id, 'its content does not match its name');
  return bytes;
}

/** The repository's small encrypted JSON files. Key files alone are neither encrypted nor compressed. */
export class Objects {
  readonly #store: Store;
  readonly #sealer: Sealer;
  readonly #version: 1 | 2;
  /** How to take locks among them. */
  readonly locking: LockPolicy;

  constructor(store: Store, sealer: Sealer, version: 1 | 2, locking: LockPolicy = {}) {
    this.locking = locking;
    this.#store = store;
    this.#sealer = sealer;
    this.#version = version;
  }

  list(type: ObjectType, signal: AbortSignal): AsyncIterable<ListedObject> {
    return listObjects(this.#store, type, signal);
  }

  /**
   * The object's JSON.
   * @throws RespaldoError `store-missing`; `repository-damaged` if hash, seal or compression is wrong
   */
  async load(type: ObjectType, id: Id, signal: AbortSignal): Promise<Uint8Array> {
    const stored = await readObject(this.#store, type, id, signal);
    if (type === 'key') return stored;
    try {
      const opened = this.#sealer.open(stored);
      const json = this.#unpack(opened);
      releaseIfLarge(stored);
      if (json !== opened) releaseIfLarge(opened);
      return json;
    } catch (error) {
      throw damaged(type, id, error instanceof Error ? error.message : String(error), error);
    }
  }

  /** Stores the JSON durably. @returns the id: the hash of what was stored */
  async save(type: ObjectType, json: Uint8Array, signal: AbortSignal): Promise<Id> {
    const stored = type === 'key' ? json : this.#sealer.seal(this.#pack(json));
    const id = hashId(stored);
    await this.#store.write(objectKey(type, id), stored, signal);
    return id;
  }

  async remove(type: ObjectType, id: Id, signal: AbortSignal): Promise<void> {
    await this.#store.remove(objectKey(type, id), signal);
  }

  #pack(json: Uint8Array): Uint8Array {
    if (this.#version === 1) return json;
    const compressed = compress(json, COMPRESS_LEVEL);
    const packed = new Uint8Array(1 + compressed.length);
    packed[0] = COMPRESSED;
    packed.set(compressed, 1);
    return packed;
  }

  #unpack(bytes: Uint8Array): Uint8Array {
    const first = bytes[0];
    if (this.#version === 1 || first === undefined || OPENING_BRACKETS.includes(first)) return bytes;
    if (first !== COMPRESSED) throw new Error(`unknown encoding ${first}`);
    return decompress(bytes.subarray(1));
  }
}

/** Where another key opens, this one is only told of by `check`. */
const KEY_HINT = 'Restore it from a copy of the folder `keys`, or give the password of another key.';

function damaged(type: ObjectType, id: Id, what: string, cause?: unknown): RespaldoError {
  return new RespaldoError('repository-damaged', `${type} ${id} is damaged: ${what}`, {
    hint: type === 'key' ? KEY_HINT : 'Run `respaldo check` to learn what else is damaged.',
    context: { type, id },
    ...(cause === undefined ? {} : { cause }),
  });
}
