import { setImmediate } from 'node:timers/promises';
import { instantiate, PAGE } from '../../web-assembly.ts';
import type { Discard } from './discard.ts';

/** scrypt's cost: N rounds over 128·N·r bytes, p times. */
export interface ScryptCost {
  /** A power of two. */
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

type Fill = (r: number, n: number, from: number, to: number) => void;
type Mix = (r: number, n: number, times: number) => void;

interface Exports {
  readonly fillTwo: Fill;
  readonly fillThree: Fill;
  readonly mixTwo: Mix;
  readonly mixThree: Mix;
}

/** In three quarters of the time that it takes three lanes, two are mixed; for a fourth there are not registers enough. */
const MOST_LANES = 3;
/** Where the kernel has word after word of 64 bytes. */
const ORDER = [0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11];
const WORDS = ORDER.length;
/** Few bytes a call: the compiler's better code comes with the next one. */
const BYTES_A_CALL = 32 * 1024;
/** Then everybody else may have a turn: some milliseconds. */
const CALLS_A_TURN = 64;

/** How many lanes are best mixed at once, one number after another, the greatest first: never one alone if there are more. */
export function groupsOf(lanes: number): number[] {
  const threes = lanes % MOST_LANES === 1 ? Math.max(0, (lanes - 4) / MOST_LANES) : Math.floor(lanes / MOST_LANES);
  const rest = lanes - threes * MOST_LANES;
  const twos = Array.from({ length: Math.ceil(rest / 2) }, (_, n) => Math.min(2, rest - 2 * n));
  return [...Array.from({ length: threes }, () => MOST_LANES), ...twos];
}

/** Bytes of memory that a mixer takes, in all. */
export function mixerMemory({ N, r, p }: ScryptCost): number {
  const lanes = Math.max(2, groupsOf(p)[0] ?? 0);
  // States and their successors; then for each lane its table and one more.
  return PAGE * Math.ceil(((2 * lanes + lanes * (N + 1)) * 128 * r) / PAGE);
}

/**
 * The costly part of scrypt (`scryptROMix` of RFC 7914) for some lanes at once. Its source is `assembly/scrypt.ts`;
 * `scrypt.wasm` is built from it by `node scripts/kernel.ts build`.
 */
export class LaneMixer implements Disposable {
  readonly #cost: ScryptCost;
  readonly #kernel: Exports;
  readonly #memory: DataView<ArrayBuffer>;
  readonly #discard: Discard;

  /** @throws where there is no memory for it, or a processor without vectors */
  constructor(cost: ScryptCost, discard: Discard) {
    const { exports, memory } = instantiate(new URL('./scrypt.wasm', import.meta.url), mixerMemory(cost) / PAGE);
    this.#cost = cost;
    this.#kernel = exports as Exports;
    this.#memory = new DataView(memory);
    this.#discard = discard;
  }

  /** Mixes one block a lane, as many as a {@link groupsOf group} has; of one alone, another works for nothing. */
  async mix(from: readonly Buffer[], to: readonly Buffer[]): Promise<void> {
    const { N, r } = this.#cost;
    const lanes = Math.max(2, from.length);
    const { fillTwo, fillThree, mixTwo, mixThree } = this.#kernel;
    const [fill, mix] = lanes === MOST_LANES ? [fillThree, mixThree] : [fillTwo, mixTwo];
    const table = (lane: number): number => (2 * lanes + lane * (N + 1)) * 128 * r;
    const state = (lane: number): number => lane * 128 * r;
    // Both N and this are powers of two, and a mix changes the state twice.
    const step = Math.min(N, Math.max(2, 2 ** Math.floor(Math.log2(BYTES_A_CALL / (128 * r)))));
    for (const [lane, block] of from.entries()) toKernel(block, this.#memory, table(lane));
    for (let done = 0; done < N; done += step) {
      fill(r, N, done, done + step);
      await turn(done / step);
    }
    for (let done = 0; done < N; done += step) {
      mix(r, N, step);
      await turn(done / step);
    }
    for (const [lane, block] of to.entries()) fromKernel(this.#memory, state(lane), block);
  }

  /** Its memory holds as much of the secret as the result does. */
  [Symbol.dispose](): void {
    this.#discard(new Uint8Array(this.#memory.buffer));
  }
}

async function turn(calls: number): Promise<void> {
  if (calls % CALLS_A_TURN === CALLS_A_TURN - 1) await setImmediate();
}

function toKernel(block: Buffer, memory: DataView, at: number): void {
  for (let word = 0; word < block.length / 4; word++)
    memory.setUint32(at + 4 * word, block.readUint32LE(4 * placeOf(word)), true);
}

function fromKernel(memory: DataView, at: number, block: Buffer): void {
  for (let word = 0; word < block.length / 4; word++)
    block.writeUInt32LE(memory.getUint32(at + 4 * word, true), 4 * placeOf(word));
}

/** Where RFC 7914 has the word that the kernel has here. */
function placeOf(word: number): number {
  return word - (word % WORDS) + (ORDER[word % WORDS] ?? 0);
}
