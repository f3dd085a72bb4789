import { isError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import { SEAL_OVERHEAD } from '../format/crypto.ts';
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { BlobReader } from '../storage/blobs.ts';
import { readPackBlobs } from '../storage/pack-reader.ts';
import { TreeReader } from './tree-reader.ts';

interface Readers {
  readonly trees: TreeReader;
  readonly blobs: BlobReader;
  readonly index: BlobIndex;
}

/** The readers of an open repository, kept as long as it is: reading many small files must not load the index for each. */
const kept = new WeakMap<RepositoryContext, Promise<Readers>>();

/**
 * Reads trees and files without a lock. The index in memory may be older than the repository, because of a backup or a
 * prune since: where something seems missing or damaged, one newer index is tried.
 */
export class SnapshotReader {
  readonly #context: RepositoryContext;
  #renewed: Promise<Readers> | undefined;

  constructor(context: RepositoryContext) {
    this.#context = context;
  }

  /** @throws RespaldoError `repository-damaged` that names the blob */
  tree(id: Id, signal: AbortSignal): Promise<Node[]> {
    return this.#read(({ trees }) => trees.load(id, signal), signal);
  }

  /** The same for walks: see `treeNodes` for when what is wrong is told. */
  nodes(id: Id, signal: AbortSignal): Promise<Iterable<Node>> {
    return this.#read(({ trees }) => trees.nodes(id, signal), signal);
  }

  /** @throws RespaldoError `repository-damaged` that names blob and pack */
  data(id: Id, signal: AbortSignal): Promise<Uint8Array> {
    return this.#read(({ blobs }) => blobs.load('data', id, signal), signal);
  }

  /**
   * Data blobs, with few requests: what lies together in a pack is read at once.
   * @returns their contents in the order of `ids`; each is the caller's own
   * @throws RespaldoError `repository-damaged` that names blob and pack
   */
  several(ids: readonly Id[], signal: AbortSignal): Promise<readonly Uint8Array[]> {
    return this.#read(async ({ index, blobs }) => {
      const found = await this.#together(new Set(ids), index, signal);
      const handedOut = new Set<Uint8Array>();
      const contents: Uint8Array[] = [];
      for (const id of ids) {
        // What is not right where it was looked for may lie elsewhere, too.
        const content = found.get(id) ?? (await blobs.load('data', id, signal));
        contents.push(handedOut.has(content) ? Uint8Array.from(content) : content);
        handedOut.add(content);
      }
      return contents;
    }, signal);
  }

  async #together(ids: ReadonlySet<Id>, index: BlobIndex, signal: AbortSignal): Promise<Map<Id, Uint8Array>> {
    const { store, sealer } = this.#context;
    const places = [...ids].flatMap((id) => index.find('data', id) ?? []);
    const packs = [...Map.groupBy(places, ({ pack }) => pack)];
    const found = new Map<Id, Uint8Array>();
    await Promise.all(
      packs.map(async ([pack, blobs]) => {
        for await (const { blob, content } of readPackBlobs(store, sealer, pack, blobs, signal))
          if (content instanceof Uint8Array) found.set(blob.id, content);
      }),
    );
    return found;
  }

  /** Bytes of a data blob, uncompressed, as the index tells; undefined if it does not know the blob. */
  dataLength(id: Id, signal: AbortSignal): Promise<number | undefined> {
    return this.#read(({ index }) => {
      const blob = index.find('data', id);
      return blob && (blob.uncompressedLength || blob.length - SEAL_OVERHEAD);
    }, signal);
  }

  async #read<T>(load: (readers: Readers) => Promise<T> | T, signal: AbortSignal): Promise<T> {
    const first = this.#renewed ?? kept.get(this.#context) ?? (this.#renewed = this.#renew(signal));
    try {
      return await load(await first);
    } catch (error) {
      if (!isError(error, 'repository-damaged') || first === this.#renewed) throw error;
      this.#renewed ??= this.#renew(signal);
      return load(await this.#renewed);
    }
  }

  #renew(signal: AbortSignal): Promise<Readers> {
    const context = this.#context;
    // What a damaged index tells of is missed where it is needed.
    const loading = context
      .loadIndex(signal, { onDamaged: () => undefined })
      .then((index) => readersOf(context, index));
    kept.set(context, loading);
    loading.catch(() => {
      if (kept.get(context) === loading) kept.delete(context);
    });
    return loading;
  }
}

function readersOf(context: RepositoryContext, index: BlobIndex): Readers {
  return { trees: new TreeReader(context, index), blobs: new BlobReader(context, index), index };
}
