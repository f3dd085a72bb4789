import { RespaldoError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import type { IndexedPack } from '../format/index-file.ts';
import { type BlobType, PackBuilder } from '../format/pack.ts';
import type { BlobBits } from '../storage/blob-bits.ts';
import type { BlobIndex, Located } from '../storage/blob-index.ts';
import { BlobReader } from '../storage/blobs.ts';
import { packKey } from '../storage/objects.ts';
import { storeOf } from '../storage/pack-store.ts';
import { readPackBlobs } from '../storage/pack-reader.ts';

/**
 * Copies what is kept of some packs into new ones, verified blob by blob, a few megabytes at a time.
 * @param packs by their number in the index
 * @param compress also data that is not compressed yet, so that none is left
 * @returns the new packs, durable, but in no index yet
 * @throws RespaldoError `repository-damaged` if a blob cannot be read from any of its places
 */
export async function repack(
  context: RepositoryContext,
  index: BlobIndex,
  kept: BlobBits,
  packs: ReadonlySet<number>,
  compress: boolean,
  signal: AbortSignal,
): Promise<IndexedPack[]> {
  await using writer = new Repacker(context, index, compress, signal);
  for (const { id, pack, rows } of index.packRows()) {
    if (!packs.has(pack)) continue;
    const blobs = rows.filter((row) => kept.has(row)).map((row) => index.at(row));
    await writer.copy(id, blobs);
  }
  return await writer.finish();
}

class Repacker implements AsyncDisposable {
  readonly #context: RepositoryContext;
  readonly #compress: boolean;
  readonly #signal: AbortSignal;
  readonly #reader: BlobReader;
  readonly #builders: Readonly<Record<BlobType, PackBuilder>>;
  readonly #written: IndexedPack[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(context: RepositoryContext, index: BlobIndex, compress: boolean, signal: AbortSignal) {
    this.#context = context;
    this.#compress = compress;
    this.#signal = signal;
    this.#reader = new BlobReader(context, index);
    const { sealer, packing } = context;
    const { data, tree } = packing.levels;
    this.#builders = {
      data: new PackBuilder('data', sealer, compress ? (data ?? tree) : data, { ...packing, alwaysCompress: compress }),
      tree: new PackBuilder('tree', sealer, tree, packing),
    };
  }

  async copy(pack: Id, blobs: readonly Located[]): Promise<void> {
    const { sealer } = this.#context;
    const store = storeOf(this.#context, blobs);
    for await (const { blob, sealed, content } of readPackBlobs(store, sealer, pack, blobs, this.#signal)) {
      const builder = this.#builders[blob.type];
      if (sealed === undefined || content instanceof RespaldoError)
        builder.add(blob.id, await this.#reader.load(blob.type, blob.id, this.#signal));
      else if (this.#canStay(blob)) builder.addSealed(blob, sealed);
      else builder.add(blob.id, content);
      if (builder.isFull()) await this.#write(builder);
    }
  }

  async finish(): Promise<IndexedPack[]> {
    for (const builder of Object.values(this.#builders)) if (builder.count > 0) await this.#write(builder);
    await this.#writing;
    return this.#written;
  }

  /** Whatever happened: no write goes on behind the caller's back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#writing]);
  }

  /** Trees are compressed where the repository can: see {@link PackBuilder.add}. */
  #canStay({ type, uncompressedLength }: Located): boolean {
    const mayBePlain = (type === 'data' && !this.#compress) || this.#context.config.version === 1;
    return uncompressedLength > 0 || mayBePlain;
  }

  /** While a pack is being written the next one fills up. */
  async #write(builder: PackBuilder): Promise<void> {
    const { id, bytes, blobs } = builder.finish();
    await this.#writing;
    const store = storeOf(this.#context, blobs);
    this.#writing = store.write(packKey(id), bytes, this.#signal).then(() => void this.#written.push({ id, blobs }));
    // Its failure is met by whoever waits for it next.
    this.#writing.catch(() => undefined);
  }
}
