import { groupsOf, type LaneMixer, type ScryptCost } from './lane-mixer.ts';

/** What one thread gives to another. */
export interface LaneData {
  readonly cost: ScryptCost;
  /** The number of the next group to be claimed, and for each group whether it is mixed. */
  readonly progress: Int32Array<SharedArrayBuffer>;
  /** A block a lane. They stay as they are: whoever has claimed a group may be gone before it is mixed. */
  readonly blocks: Uint8Array<SharedArrayBuffer>;
  readonly mixed: Uint8Array<SharedArrayBuffer>;
}

/**
 * Has another thread {@link SharedLanes.mix mix}, once it has time, each call another one. Undefined: there is none more.
 * @returns resolves when that mixes nothing any more: there is nothing left, or the thread has ended
 */
export type Lend = (lanes: LaneData) => (() => Promise<void>) | undefined;

const NEXT = 0;
const FIRST_GROUP = 1;

/** scrypt's lanes in groups, each of them mixed by the thread that claims it. */
export class SharedLanes {
  readonly data: LaneData;
  readonly #groups: readonly number[];

  constructor(data: LaneData) {
    this.data = data;
    this.#groups = groupsOf(data.cost.p);
  }

  /** @param blocks of all lanes, one behind the other */
  static of(blocks: Uint8Array, cost: ScryptCost): SharedLanes {
    const data = {
      cost,
      progress: new Int32Array(new SharedArrayBuffer(4 * (FIRST_GROUP + groupsOf(cost.p).length))),
      blocks: new Uint8Array(new SharedArrayBuffer(blocks.length)),
      mixed: new Uint8Array(new SharedArrayBuffer(blocks.length)),
    };
    data.blocks.set(blocks);
    return new SharedLanes(data);
  }

  /** How many threads there can be work for. */
  get groups(): number {
    return this.#groups.length;
  }

  /** Claims group after group, for as long as there are any, and mixes them. */
  async mix(mixer: LaneMixer): Promise<void> {
    for (let n = this.#claim(); n < this.#groups.length; n = this.#claim()) await this.#mixGroup(mixer, n);
  }

  /** Mixes what others have claimed and not done. */
  async mixMissing(mixer: LaneMixer): Promise<void> {
    for (const n of this.#groups.keys()) if (!this.#isMixed(n)) await this.#mixGroup(mixer, n);
  }

  isComplete(): boolean {
    return this.#groups.every((_, n) => this.#isMixed(n));
  }

  /** A copy; what threads share is erased. */
  take(): Buffer {
    const mixed = Buffer.from(this.data.mixed);
    this.data.mixed.fill(0);
    this.data.blocks.fill(0);
    return mixed;
  }

  #claim(): number {
    return Atomics.add(this.data.progress, NEXT, 1);
  }

  #isMixed(group: number): boolean {
    return Atomics.load(this.data.progress, FIRST_GROUP + group) === 1;
  }

  async #mixGroup(mixer: LaneMixer, group: number): Promise<void> {
    await mixer.mix(this.#blocksOf(this.data.blocks, group), this.#blocksOf(this.data.mixed, group));
    Atomics.store(this.data.progress, FIRST_GROUP + group, 1);
  }

  #blocksOf({ buffer }: Uint8Array<SharedArrayBuffer>, group: number): Buffer[] {
    const bytes = 128 * this.data.cost.r;
    const first = this.#groups.slice(0, group).reduce((sum, lanes) => sum + lanes, 0);
    return Array.from({ length: this.#groups[group] ?? 0 }, (_, lane) =>
      Buffer.from(buffer, (first + lane) * bytes, bytes),
    );
  }
}
