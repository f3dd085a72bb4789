/** The parent snapshot's trees, for comparison. */
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import { parseTree } from '../format/tree.ts';
import type { ReadStore } from '../../stores/store.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { BlobReader, type ReadContext } from '../storage/blobs.ts';
import { packKey } from '../storage/objects.ts';
import type { ParentTree } from './protocol.ts';
import { StoredTree } from './stored-tree.ts';

export class Parents {
  readonly #store: ReadStore;
  readonly #index: BlobIndex;
  readonly #reader: BlobReader;
  readonly #signal: AbortSignal;

  constructor(context: ReadContext, index: BlobIndex, signal: AbortSignal) {
    this.#store = context.nearby;
    this.#index = index;
    this.#reader = new BlobReader(context, index);
    this.#signal = signal;
  }

  /** For a worker. Undefined where there is no such tree: then everything is read. */
  async forWorker(id: Id | undefined): Promise<ParentTree | undefined> {
    const blob = id === undefined ? undefined : this.#index.find('tree', id);
    if (id === undefined || blob === undefined) return undefined;
    const file = this.#store.localPath?.(packKey(blob.pack));
    if (file !== undefined) return { kind: 'local', id, file, blob };
    const bytes = await this.#load(id);
    return bytes === undefined ? undefined : { kind: 'bytes', id, bytes };
  }

  /** The tree itself, for slices of it; undefined where it cannot be read. The caller releases it. */
  async tree(id: Id | undefined): Promise<StoredTree | undefined> {
    const bytes =
      id === undefined
        ? undefined
        : await this.#load(id, (known) => this.#reader.loadOnce('tree', known, this.#signal));
    return bytes === undefined ? undefined : new StoredTree(bytes);
  }

  /** The tree's nodes by name; none where it cannot be read. */
  async nodes(id: Id | undefined): Promise<ReadonlyMap<string, Node>> {
    return (await this.findNodes(id)) ?? new Map<string, Node>();
  }

  /** The same; undefined where the tree cannot be read. */
  async findNodes(id: Id | undefined): Promise<ReadonlyMap<string, Node> | undefined> {
    const bytes = id === undefined ? undefined : await this.#load(id);
    return bytes && new Map(parseTree(bytes).map((node) => [node.name, node]));
  }

  /** Whether the repository still has every blob of a file's content. */
  holdsAll(content: readonly Id[] | undefined): boolean {
    return (content ?? []).every((id) => this.#index.has('data', id));
  }

  async #load(
    id: Id,
    read: (id: Id) => Promise<Uint8Array> = (known) => this.#reader.load('tree', known, this.#signal),
  ): Promise<Uint8Array | undefined> {
    if (!this.#index.has('tree', id)) return undefined;
    try {
      return await read(id);
    } catch {
      this.#signal.throwIfAborted();
      // A damaged parent is no parent: everything is read anew, and `check` tells of the damage.
      return undefined;
    }
  }
}
