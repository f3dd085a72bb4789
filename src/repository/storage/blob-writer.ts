import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import { type BlobType, type PackBuilder, packBuilders } from '../format/pack.ts';
import { IndexWriter } from './index-writer.ts';
import { packKey } from './objects.ts';
import { storeOf } from './pack-store.ts';

/** Puts blobs into new packs, and tells of the packs in new index files. One unfinished pack of each type is in memory. */
export class BlobWriter {
  readonly #context: RepositoryContext;
  readonly #builders: Readonly<Record<BlobType, PackBuilder>>;
  readonly #index: IndexWriter;
  readonly #signal: AbortSignal;
  #packs = 0;

  constructor(context: RepositoryContext, signal: AbortSignal) {
    this.#context = context;
    this.#index = new IndexWriter(context.objects, signal);
    this.#signal = signal;
    this.#builders = packBuilders(context.sealer, context.packing);
  }

  /** How many packs were written since the last flush. */
  get packs(): number {
    return this.#packs;
  }

  /** @param plain the blob's verified content */
  async add(type: BlobType, id: Id, plain: Uint8Array): Promise<void> {
    const builder = this.#builders[type];
    builder.add(id, plain);
    if (builder.isFull()) await this.#write(builder);
  }

  /** Everything that was added is durable, and in an index, when this resolves. */
  async flush(): Promise<void> {
    for (const builder of Object.values(this.#builders)) if (builder.count > 0) await this.#write(builder);
    await this.#index.flush();
    this.#packs = 0;
  }

  async #write(builder: PackBuilder): Promise<void> {
    const { id, bytes, blobs } = builder.finish();
    await storeOf(this.#context, blobs).write(packKey(id), bytes, this.#signal);
    await this.#index.add({ id, blobs });
    this.#packs += 1;
  }
}
