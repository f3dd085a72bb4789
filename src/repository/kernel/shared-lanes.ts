import { type LaneMixer, LANES, type ScryptCost } from './lane-mixer.ts';

/** What one thread gives to another. */
export interface LaneData {
  readonly cost: ScryptCost;
  /** The number of the next pair to be claimed, and for each pair whether it is mixed. */
  readonly progress: Int32Array<SharedArrayBuffer>;
  /** A block a lane. They stay as they are: whoever has claimed a pair may be gone before it is mixed. */
  readonly blocks: Uint8Array<SharedArrayBuffer>;
  readonly mixed: Uint8Array<SharedArrayBuffer>;
}

/** Another thread that takes part. */
export interface Loan {
  /** Resolves when it mixes nothing any more: there is nothing left, or the thread has ended. */
  over(): Promise<void>;
  /** Nobody waits for it. */
  end(): void;
}

/** Has another thread {@link SharedLanes.mix mix} as well, once it has time. Undefined: there is none. */
export type Lend = (lanes: LaneData) => Loan | undefined;

const NEXT = 0;
const FIRST_PAIR = 1;

/** scrypt's lanes in pairs, each of them mixed by the thread that claims it. */
export class SharedLanes {
  readonly data: LaneData;

  constructor(data: LaneData) {
    this.data = data;
  }

  /** @param blocks of all lanes, one behind the other */
  static of(blocks: Uint8Array, cost: ScryptCost): SharedLanes {
    const data = {
      cost,
      progress: new Int32Array(new SharedArrayBuffer(4 * (FIRST_PAIR + Math.ceil(cost.p / LANES)))),
      blocks: new Uint8Array(new SharedArrayBuffer(blocks.length)),
      mixed: new Uint8Array(new SharedArrayBuffer(blocks.length)),
    };
    data.blocks.set(blocks);
    return new SharedLanes(data);
  }

  /** Claims pair after pair, for as long as there are any, and mixes them. */
  async mix(mixer: LaneMixer): Promise<void> {
    for (let pair = this.#claim(); pair < this.#pairs; pair = this.#claim()) await this.#mixPair(mixer, pair);
  }

  /** Mixes what others have claimed and not done. */
  async mixMissing(mixer: LaneMixer): Promise<void> {
    for (let pair = 0; pair < this.#pairs; pair++) if (!this.#isMixed(pair)) await this.#mixPair(mixer, pair);
  }

  isComplete(): boolean {
    return Array.from({ length: this.#pairs }, (_, pair) => pair).every((pair) => this.#isMixed(pair));
  }

  /** A copy; what threads share is erased. */
  take(): Buffer {
    const mixed = Buffer.from(this.data.mixed);
    this.data.mixed.fill(0);
    this.data.blocks.fill(0);
    return mixed;
  }

  get #pairs(): number {
    return this.data.progress.length - FIRST_PAIR;
  }

  #claim(): number {
    return Atomics.add(this.data.progress, NEXT, 1);
  }

  #isMixed(pair: number): boolean {
    return Atomics.load(this.data.progress, FIRST_PAIR + pair) === 1;
  }

  async #mixPair(mixer: LaneMixer, pair: number): Promise<void> {
    await mixer.mix(this.#pair(this.data.blocks, pair), this.#pair(this.data.mixed, pair));
    Atomics.store(this.data.progress, FIRST_PAIR + pair, 1);
  }

  #pair({ buffer, length }: Uint8Array<SharedArrayBuffer>, pair: number): Buffer[] {
    const bytes = 128 * this.data.cost.r;
    const from = pair * LANES * bytes;
    const lanes = Math.min(LANES, (length - from) / bytes);
    return Array.from({ length: lanes }, (_, lane) => Buffer.from(buffer, from + lane * bytes, bytes));
  }
}
