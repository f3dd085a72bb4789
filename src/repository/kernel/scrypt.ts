/**
 * scrypt with two lanes at once, on the vectors of WebAssembly: two thirds of the time that OpenSSL takes, and every command
 * begins with it. Its source is `assembly/scrypt.ts`; `scrypt.wasm` is built from it by `node scripts/kernel.ts build`.
 */
import { pbkdf2Sync } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { instantiate, PAGE } from '../../web-assembly.ts';

/** scrypt's cost: N rounds over 128·N·r bytes, p times. */
export interface ScryptCost {
  /** A power of two. */
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

interface Exports {
  fill(r: number, n: number, from: number, to: number): void;
  mix(r: number, n: number, times: number): void;
}

const LANES = 2;
/** In blocks: where the lanes' tables begin, behind the states. */
const TABLES = 4;
/** Where the kernel has word after word of 64 bytes. */
const ORDER = [0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11];
const WORDS = ORDER.length;
/** Few bytes a call: the compiler's better code comes with the next one. */
const BYTES_A_CALL = 32 * 1024;
/** Then everybody else may have a turn: some milliseconds. */
const CALLS_A_TURN = 64;

/** Bytes of memory that it takes, in all. */
export function scryptMemory({ N, r }: ScryptCost): number {
  return PAGE * Math.ceil((blocksOf(N) * 128 * r) / PAGE);
}

/**
 * Derives `length` bytes as RFC 7914 says.
 * @param release gets the memory when it is no longer needed: it holds as much of the secret as the result does
 */
export async function scrypt(
  password: string,
  salt: Uint8Array,
  length: number,
  cost: ScryptCost,
  release: (memory: Uint8Array) => void,
): Promise<Buffer> {
  const { r, p } = cost;
  const mixed = pbkdf2Sync(password, salt, 1, p * 128 * r, 'sha256');
  const blocks = Array.from({ length: p }, (_, lane) => mixed.subarray(lane * 128 * r, (lane + 1) * 128 * r));
  const { exports, memory } = instantiate(new URL('./scrypt.wasm', import.meta.url), scryptMemory(cost) / PAGE);
  try {
    const view = new DataView(memory);
    for (let lane = 0; lane < p; lane += LANES)
      await mixLanes(exports as Exports, view, blocks.slice(lane, lane + LANES), cost);
  } finally {
    release(new Uint8Array(memory));
  }
  return pbkdf2Sync(password, mixed, 1, length, 'sha256');
}

/** Mixes each block in its place. If there is but one, the other lane works for nothing. */
async function mixLanes(
  kernel: Exports,
  memory: DataView,
  blocks: readonly Buffer[],
  { N, r }: ScryptCost,
): Promise<void> {
  const table = (lane: number): number => (TABLES + lane * (N + 1)) * 128 * r;
  const state = (lane: number): number => lane * 128 * r;
  // Both N and this are powers of two, and a mix changes the state twice.
  const step = Math.min(N, Math.max(2, 2 ** Math.floor(Math.log2(BYTES_A_CALL / (128 * r)))));
  for (const [lane, block] of blocks.entries()) toKernel(block, memory, table(lane));
  for (let done = 0; done < N; done += step) {
    kernel.fill(r, N, done, done + step);
    await turn(done / step);
  }
  for (let done = 0; done < N; done += step) {
    kernel.mix(r, N, step);
    await turn(done / step);
  }
  for (const [lane, block] of blocks.entries()) fromKernel(memory, state(lane), block);
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

/** States and their successors; then for each lane its table and one more. */
function blocksOf(n: number): number {
  return TABLES + LANES * (n + 1);
}
