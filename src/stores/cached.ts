import { type CacheFolder, canBeKept } from './cache-folder.ts';
import { Gate } from './gate.ts';
import type { NearStore, Store, StoredObject } from './store.ts';

type Range = { readonly offset: number; readonly length: number };

const PACKS = 'data/';
/** Folders of what is kept: what vanished from the store goes when one is listed. */
const FOLDERS = [PACKS, 'index/', 'snapshots/'];
/** Packs are kept whole, except those larger than any that programs write by themselves. Bytes. */
const LARGEST_PACK = 128 * 1024 * 1024 + 16 * 1024 * 1024;
/** Whole packs on their way at once: they are held in memory. */
const PACKS_AT_ONCE = 3;

/** A pack as a first reader gets it. */
interface Fetched {
  readonly isKept: boolean;
  /** The whole pack; absent where it is not to be held in memory. */
  readonly bytes?: Uint8Array;
}

/** A store with a cache before it: see {@link NearStore}. */
export class CachedStore implements NearStore {
  readonly location: string;
  readonly #inner: Store;
  readonly #cache: CacheFolder;
  readonly #trusts: boolean;
  readonly #downloads = new Gate(PACKS_AT_ONCE);
  /** Whether a pack can be read from its file: it was verified in this process. */
  readonly #packs = new Map<string, Promise<boolean>>();
  readonly #verified = new Set<string>();

  /** What is so long is not kept, nor what was there before. */
  readonly writeStream?: NonNullable<Store['writeStream']>;

  /** @param trusts what was kept before; false: only what this object has fetched itself */
  constructor(inner: Store, cache: CacheFolder, trusts = true) {
    this.location = inner.location;
    this.#inner = inner;
    this.#cache = cache;
    this.#trusts = trusts;
    const writeStream = inner.writeStream?.bind(inner);
    if (writeStream !== undefined)
      this.writeStream = async (key, content, signal) => {
        const size = await writeStream(key, content, signal);
        await this.#forget(key);
        return size;
      };
  }

  afresh(): NearStore {
    return new CachedStore(this.#inner, this.#cache, false);
  }

  retain(folder: string, isWanted: (key: string) => boolean): Promise<void> {
    return this.#cache.retain(folder, isWanted);
  }

  create(signal: AbortSignal): Promise<void> {
    return this.#inner.create(signal);
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject> {
    const listed = new Set<string>();
    for await (const object of this.#inner.list(prefix, signal)) {
      listed.add(object.key);
      yield object;
    }
    if (FOLDERS.includes(prefix)) await this.#cache.retain(prefix, (key) => listed.has(key));
  }

  stat(key: string, signal: AbortSignal): Promise<StoredObject> {
    return this.#inner.stat(key, signal);
  }

  read(key: string, range: Range | undefined, signal: AbortSignal): Promise<Uint8Array> {
    if (!canBeKept(key)) return this.#inner.read(key, range, signal);
    if (key.startsWith(PACKS)) return this.#readPack(key, range, signal);
    return range === undefined ? this.#readWhole(key, signal) : this.#inner.read(key, range, signal);
  }

  /** Of a pack that this process has verified. */
  localPath(key: string): string | undefined {
    return this.#verified.has(key) ? this.#cache.pathOf(key) : this.#inner.localPath?.(key);
  }

  async write(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#inner.write(key, bytes, signal);
    if (!canBeKept(key)) return;
    const isKept = await this.#cache.keep(key, bytes);
    if (isKept && key.startsWith(PACKS)) this.#remember(key, Promise.resolve(true));
  }

  async remove(key: string, signal: AbortSignal): Promise<void> {
    await this.#inner.remove(key, signal);
    await this.#forget(key);
  }

  async sweep(signal: AbortSignal, isOurs?: (key: string) => boolean): Promise<void> {
    await this.#inner.sweep?.(signal, isOurs);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #readWhole(key: string, signal: AbortSignal): Promise<Uint8Array> {
    const kept = this.#trusts ? await this.#cache.load(key) : undefined;
    if (kept !== undefined) return kept;
    const bytes = await this.#inner.read(key, undefined, signal);
    await this.#cache.keep(key, bytes);
    return bytes;
  }

  /** The first reader of a pack brings all of it; those who come meanwhile wait for that. */
  async #readPack(key: string, range: Range | undefined, signal: AbortSignal): Promise<Uint8Array> {
    const known = this.#packs.get(key);
    if (known === undefined) {
      const fetching = this.#fetch(key, signal);
      this.#remember(
        key,
        fetching.then(({ isKept }) => isKept),
      );
      const { bytes } = await fetching;
      const part = bytes === undefined ? undefined : partOf(bytes, range);
      if (part !== undefined) return part;
    } else if (await known.catch(() => false)) {
      const part = await (range === undefined ? this.#cache.load(key) : this.#cache.part(key, range));
      if (part !== undefined) return part;
      // Somebody has removed the file, or more was asked for than there is: the store knows.
      this.#remember(key, Promise.resolve(false));
    }
    return this.#inner.read(key, range, signal);
  }

  async #fetch(key: string, signal: AbortSignal): Promise<Fetched> {
    const kept = this.#trusts ? await this.#cache.load(key) : undefined;
    if (kept !== undefined) return { isKept: true, bytes: kept };
    if (!this.#cache.isWritable) return { isKept: false };
    const { size } = await this.#inner.stat(key, signal);
    if (size > LARGEST_PACK) return { isKept: false };
    const bytes = await this.#downloads.pass(signal, () => this.#inner.read(key, undefined, signal));
    return { isKept: await this.#cache.keep(key, bytes), bytes };
  }

  async #forget(key: string): Promise<void> {
    if (!canBeKept(key)) return;
    this.#packs.delete(key);
    this.#verified.delete(key);
    await this.#cache.drop(key);
  }

  #remember(key: string, isKept: Promise<boolean>): void {
    this.#packs.set(key, isKept);
    this.#verified.delete(key);
    isKept.then(
      (kept) => {
        if (kept && this.#packs.get(key) === isKept) this.#verified.add(key);
      },
      // The next reader tries again.
      () => this.#packs.delete(key),
    );
  }
}

/** In a buffer of its own: callers hand it to other threads. Undefined where the pack ends before. */
function partOf(bytes: Uint8Array, range: Range | undefined): Uint8Array | undefined {
  if (range === undefined) return bytes;
  const end = range.offset + range.length;
  return end > bytes.length ? undefined : new Uint8Array(bytes.subarray(range.offset, end));
}
