import { RespaldoError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import { encodeIndex, INDEX_BLOBS, type IndexedPack } from '../format/index-file.ts';
import { type BlobType, PackBuilder } from '../format/pack.ts';
import type { BlobIndex, Located } from '../storage/blob-index.ts';
import { BlobReader } from '../storage/blobs.ts';
import { packKey } from '../storage/objects.ts';
import { readPackBlobs } from '../storage/pack-reader.ts';

/** As for backups. */
const COMPRESSION_LEVEL = 3;

/**
 * Carries blobs from one repository to another: opened and verified there, compressed and sealed with the key here. A
 * few megabytes are in memory at a time, and one unfinished pack of each type.
 */
export class BlobCopy {
  readonly #source: RepositoryContext;
  readonly #target: RepositoryContext;
  readonly #index: BlobIndex;
  readonly #reader: BlobReader;
  readonly #builders: Readonly<Record<BlobType, PackBuilder>>;
  readonly #signal: AbortSignal;
  #written: IndexedPack[] = [];
  #blobs = 0;

  constructor(source: RepositoryContext, target: RepositoryContext, index: BlobIndex, signal: AbortSignal) {
    const level = target.config.version === 1 ? undefined : COMPRESSION_LEVEL;
    this.#source = source;
    this.#target = target;
    this.#index = index;
    this.#reader = new BlobReader(source.store, source.sealer, index);
    this.#builders = {
      data: new PackBuilder('data', target.sealer, level),
      tree: new PackBuilder('tree', target.sealer, level),
    };
    this.#signal = signal;
  }

  /**
   * Copies the blobs of these rows of the source's index. All of them are durable, and in an index, when this resolves.
   * @returns how many, and the bytes of their content
   * @throws RespaldoError `repository-damaged` if one cannot be read from any of its places
   */
  async copy(rows: readonly number[]): Promise<{ readonly blobs: number; readonly bytes: number }> {
    let bytes = 0;
    for (const [pack, blobs] of this.#byPack(rows)) bytes += await this.#copyFrom(pack, blobs);
    for (const builder of Object.values(this.#builders)) if (builder.count > 0) await this.#write(builder);
    await this.#writeIndex();
    return { blobs: rows.length, bytes };
  }

  /** In the order of the packs, so that what lies together is read together and stays together. */
  #byPack(rows: readonly number[]): Map<string, Located[]> {
    const packs = new Map<string, Located[]>();
    for (const row of rows.toSorted((a, b) => a - b)) {
      const blob = this.#index.at(row);
      const inPack = packs.get(blob.pack);
      if (inPack === undefined) packs.set(blob.pack, [blob]);
      else inPack.push(blob);
    }
    return packs;
  }

  async #copyFrom(pack: string, blobs: readonly Located[]): Promise<number> {
    const { store, sealer } = this.#source;
    let bytes = 0;
    for await (const { blob, content } of readPackBlobs(store, sealer, pack, blobs, this.#signal)) {
      const damaged = content instanceof RespaldoError;
      const plain = damaged ? await this.#reader.load(blob.type, blob.id, this.#signal) : content;
      const builder = this.#builders[blob.type];
      builder.add(blob.id, plain);
      bytes += plain.length;
      if (builder.isFull()) await this.#write(builder);
    }
    return bytes;
  }

  async #write(builder: PackBuilder): Promise<void> {
    const { id, bytes, blobs } = builder.finish();
    await this.#target.store.write(packKey(id), bytes, this.#signal);
    this.#written.push({ id, blobs });
    this.#blobs += blobs.length;
    if (this.#blobs >= INDEX_BLOBS) await this.#writeIndex();
  }

  async #writeIndex(): Promise<void> {
    if (this.#written.length === 0) return;
    await this.#target.objects.save('index', encodeIndex(this.#written), this.#signal);
    this.#written = [];
    this.#blobs = 0;
  }
}
