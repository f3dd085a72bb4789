import { isError } from '../../errors.ts';
import type { ReadStore } from '../../stores/store.ts';
import type { Sealer } from '../format/crypto.ts';
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import { parseTree } from '../format/tree.ts';
import { treeNodes } from '../format/tree-nodes.ts';
import type { BlobIndex, Located } from '../storage/blob-index.ts';
import { BlobReader, type ReadContext, unpackBlob } from '../storage/blobs.ts';
import { packKey } from '../storage/objects.ts';

/** Packs are read in stretches of this many bytes: trees that belong together lie together. */
const STRETCH = 512 * 1024;
const KEPT_STRETCHES = 16;

interface Stretch {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/**
 * Reads trees for a walk. A walk asks for thousands of small blobs that are neighbours in a few packs: each stretch of
 * a pack is read once and kept for a while.
 */
export class TreeReader {
  readonly #store: ReadStore;
  readonly #sealer: Sealer;
  readonly #index: BlobIndex;
  readonly #blobs: BlobReader;
  readonly #stretches = new Map<string, Stretch>();
  readonly #packEnds = new Map<Id, number>();

  constructor(context: ReadContext, index: BlobIndex) {
    this.#store = context.nearby;
    this.#sealer = context.sealer;
    this.#index = index;
    this.#blobs = new BlobReader(context, index);
  }

  /** @throws RespaldoError `repository-damaged` that names the blob, and the pack if there is one */
  async load(id: Id, signal: AbortSignal): Promise<Node[]> {
    return parseTree(await this.#bytes(id, signal));
  }

  /** The same for walks: see `treeNodes` for when what is wrong is told. */
  async nodes(id: Id, signal: AbortSignal): Promise<Iterable<Node>> {
    return treeNodes(await this.#bytes(id, signal));
  }

  async #bytes(id: Id, signal: AbortSignal): Promise<Uint8Array> {
    const blob = this.#index.find('tree', id);
    const bytes = blob === undefined ? undefined : await this.#fromStretch(blob, signal);
    // One at a time, and with other packs that hold the blob; it also words the error.
    return bytes ?? this.#blobs.load('tree', id, signal);
  }

  async #fromStretch(blob: Located, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      const { start, bytes } = await this.#stretchOf(blob, signal);
      const from = blob.offset - start;
      return unpackBlob(this.#sealer, bytes.subarray(from, from + blob.length), blob);
    } catch (error) {
      if (isError(error, 'cancelled')) throw error;
      return undefined;
    }
  }

  async #stretchOf(blob: Located, signal: AbortSignal): Promise<Stretch> {
    const start = Math.floor(blob.offset / STRETCH) * STRETCH;
    const end = blob.offset + blob.length;
    const key = `${blob.pack}/${start}`;
    const kept = this.#stretches.get(key);
    this.#stretches.delete(key);
    const reaches = kept !== undefined && kept.start + kept.bytes.length >= end;
    const stretch = reaches ? kept : await this.#read(blob.pack, start, Math.max(end, start + STRETCH), signal);
    this.#stretches.set(key, stretch);
    this.#forgetOldest();
    return stretch;
  }

  async #read(pack: Id, start: number, end: number, signal: AbortSignal): Promise<Stretch> {
    const key = packKey(pack);
    const last = this.#packEnds.get(pack) ?? this.#index.blobsEnd(pack);
    this.#packEnds.set(pack, last);
    const length = Math.min(end, last) - start;
    return { start, bytes: await this.#store.read(key, { offset: start, length }, signal) };
  }

  #forgetOldest(): void {
    for (const key of this.#stretches.keys()) {
      if (this.#stretches.size <= KEPT_STRETCHES) return;
      this.#stretches.delete(key);
    }
  }
}
