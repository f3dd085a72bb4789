import { RespaldoError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { BlobIndex, Located } from '../storage/blob-index.ts';
import { BlobWriter } from '../storage/blob-writer.ts';
import { BlobReader } from '../storage/blobs.ts';
import { readPackBlobs } from '../storage/pack-reader.ts';
import { storeOf } from '../storage/pack-store.ts';

/**
 * Carries blobs from one repository to another: opened and verified there, compressed and sealed with the key here. A
 * few megabytes are in memory at a time, and one unfinished pack of each type.
 */
export class BlobCopy {
  readonly #source: RepositoryContext;
  readonly #index: BlobIndex;
  readonly #reader: BlobReader;
  readonly #writer: BlobWriter;
  readonly #signal: AbortSignal;

  constructor(source: RepositoryContext, target: RepositoryContext, index: BlobIndex, signal: AbortSignal) {
    this.#source = source;
    this.#index = index;
    this.#reader = new BlobReader(source, index);
    this.#writer = new BlobWriter(target, signal);
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
    await this.#writer.flush();
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
    const { sealer } = this.#source;
    const store = storeOf(this.#source, blobs);
    let bytes = 0;
    for await (const { blob, content } of readPackBlobs(store, sealer, pack, blobs, this.#signal)) {
      const damaged = content instanceof RespaldoError;
      const plain = damaged ? await this.#reader.load(blob.type, blob.id, this.#signal) : content;
      await this.#writer.add(blob.type, blob.id, plain);
      bytes += plain.length;
    }
    return bytes;
  }
}
