/** Where a thread's new blobs go: known ones are dropped, the others packed, full packs handed on. */
import { hashId, type Id } from '../format/id.ts';
import { encodeIndexedPack } from '../format/index-file.ts';
import type { BlobType, PackBuilder } from '../format/pack.ts';
import type { Claims } from '../storage/claims.ts';
import type { Added, BlobTally, FilledPack } from './protocol.ts';

export class BlobSink {
  readonly #type: BlobType;
  readonly #claims: Claims;
  /** Undefined: a dry run, which counts only. */
  readonly #builder: PackBuilder | undefined;
  readonly #deliver: (pack: FilledPack) => Promise<ArrayBuffer | undefined>;
  #delivery: Promise<ArrayBuffer | undefined> = Promise.resolve(undefined);
  #blobs = 0;
  #bytes = 0;
  #stored = 0;
  #before = { bytes: 0, stored: 0 };

  /** @param deliver resolves when the pack is written; the buffer that it returns is used for another one */
  constructor(
    type: BlobType,
    claims: Claims,
    builder: PackBuilder | undefined,
    deliver: (pack: FilledPack) => Promise<ArrayBuffer | undefined>,
  ) {
    this.#type = type;
    this.#claims = claims;
    this.#builder = builder;
    this.#deliver = deliver;
  }

  /** Stores the blob unless the repository has it, and waits where packs are filled faster than they are written. */
  async put(plain: Uint8Array): Promise<Id> {
    const id = this.take(plain);
    if (this.isFull) await this.relieve();
    return id;
  }

  /** Stores the blob unless the repository has it. Whoever sees that the pack is full then has to `relieve`. */
  take(plain: Uint8Array): Id {
    const id = hashId(plain);
    if (!this.#claims.claim(this.#type, id)) return id;
    this.#blobs += 1;
    this.#bytes += plain.length;
    if (this.#builder !== undefined) this.#stored += this.#builder.add(id, plain).length;
    return id;
  }

  get isFull(): boolean {
    return this.#builder?.isFull() ?? false;
  }

  /** Hands on a full pack, once the one before it is written: while a pack is being written the next one fills up. */
  async relieve(): Promise<void> {
    if (this.#builder?.isFull() === true) await this.#finish(this.#builder);
  }

  /** Hands on what is packed so far; all of it is written when this resolves. */
  async flush(): Promise<void> {
    if (this.#builder !== undefined && this.#builder.count > 0) await this.#finish(this.#builder);
    await this.#delivery;
  }

  async #finish(builder: PackBuilder): Promise<void> {
    const { id, bytes, blobs } = builder.finish();
    const before = this.#delivery;
    this.#delivery = this.#deliver({ id, bytes, index: encodeIndexedPack({ id, blobs }), blobs: blobs.length });
    // Its failure is met by whoever waits for it next.
    this.#delivery.catch(() => undefined);
    const room = await before;
    if (room !== undefined) builder.reuse(room);
  }

  /** What was stored altogether. Counts a blob as soon as it is taken. */
  get added(): Added {
    return { bytes: this.#before.bytes + this.#bytes, stored: this.#before.stored + this.#stored };
  }

  /** What was stored since the last call. */
  tally(): BlobTally {
    const tally = { blobs: this.#blobs, bytes: this.#bytes, stored: this.#stored };
    this.#before = this.added;
    this.#blobs = this.#bytes = this.#stored = 0;
    return tally;
  }
}
