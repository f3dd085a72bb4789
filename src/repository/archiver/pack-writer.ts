/** Writes packs, then the indexes that tell of them: never the other way round. */
import type { Clock } from '../../clock.ts';
import { INDEX_BLOBS, joinIndex } from '../format/index-file.ts';
import { packKey, type Objects } from '../storage/objects.ts';
import type { FilledPack } from './protocol.ts';
import type { Store } from '../../stores/store.ts';

/** After this long an index is written though it is not full: what an interrupted backup has stored is found again. */
const INDEX_AGE_MS = 5 * 60_000;

export class PackWriter {
  readonly #objects: Objects;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #packs: Uint8Array[] = [];
  #blobs = 0;
  #since: number;

  constructor(objects: Objects, clock: Clock, signal: AbortSignal) {
    this.#objects = objects;
    this.#clock = clock;
    this.#signal = signal;
    this.#since = clock.monotonic();
  }

  /**
   * The pack is durable when this resolves.
   * @returns the pack's buffer, to be filled again
   */
  async write(store: Store, pack: FilledPack): Promise<ArrayBuffer> {
    await store.write(packKey(pack.id), pack.bytes, this.#signal);
    this.#packs.push(pack.index);
    this.#blobs += pack.blobs;
    if (this.#blobs >= INDEX_BLOBS || this.#clock.monotonic() - this.#since >= INDEX_AGE_MS) await this.writeIndex();
    return pack.bytes.buffer;
  }

  /** Every pack written so far is in a durable index when this resolves. */
  async writeIndex(): Promise<void> {
    const packs = this.#packs;
    this.#packs = [];
    this.#blobs = 0;
    this.#since = this.#clock.monotonic();
    if (packs.length > 0) await this.#objects.save('index', joinIndex(packs), this.#signal);
  }
}
