/**
 * The costly part of scrypt (`scryptROMix` of RFC 7914), in AssemblyScript, for two lanes at a time. They do not depend
 * on each other: every step of a lane waits for the one before, and steps of the other lane fill that time.
 *
 * Compiled by `node scripts/kernel.ts build`. A lane's block has 128 * r bytes. The memory holds, in blocks: the state of
 * both lanes, room for their next state; then for each lane n + 1 blocks, its table and what follows the table's
 * last entry. The caller puts a lane's block where its table begins, and finds it in the state afterwards.
 *
 * Of each 64 bytes, the 16 words lie in the order 0 5 10 15, 4 9 14 3, 8 13 2 7, 12 1 6 11: so Salsa20 works on whole
 * vectors.
 */

// In blocks.
const NEXT: usize = 2;
const TABLES: usize = 4;

const ROUNDS = 8;

/** Fills the tables' entries after `from` up to `to`; with the last one, the states as well. */
export function fill(r: usize, n: usize, from: usize, to: usize): void {
  const block = r << 7;
  let a = (TABLES + from) * block;
  let b = a + (n + 1) * block;
  for (; from < to; from++) {
    mixBlocks(r, a, a + block, b, b + block);
    a += block;
    b += block;
  }
  if (to < n) return;
  memory.copy(0, a, block);
  memory.copy(block, b, block);
}

/** Mixes the states with entries of their tables, `times` times: an even number. */
export function mix(r: usize, n: usize, times: usize): void {
  const next = NEXT * (r << 7);
  for (; times > 0; times -= 2) {
    mixStates(r, n, 0, next);
    mixStates(r, n, next, 0);
  }
}

/** The states at `from`, mixed with entries, become those at `to`. */
function mixStates(r: usize, n: usize, from: usize, to: usize): void {
  const block = r << 7;
  const a = TABLES * block;
  const b = a + (n + 1) * block;
  // Both at once, all of them before anything is mixed: the memory answers slowly, but many questions at a time.
  xor(from, a + entry(from, r, n), from + block, b + entry(from + block, r, n), block);
  mixBlocks(r, from, to, from + block, to + block);
}

/** Where in its table the entry lies that a state asks for. */
function entry(state: usize, r: usize, n: usize): usize {
  const block = r << 7;
  return ((<usize>load<u32>(state + block - 64)) & (n - 1)) * block;
}

function xor(a: usize, maskA: usize, b: usize, maskB: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) {
    v128.store(a + i, v128.xor(v128.load(a + i), v128.load(maskA + i)));
    v128.store(b + i, v128.xor(v128.load(b + i), v128.load(maskB + i)));
  }
}

/** `scryptBlockMix` of what lies at `a`, to `toA`; for the other lane likewise. */
function mixBlocks(r: usize, a: usize, toA: usize, b: usize, toB: usize): void {
  const last = (r << 7) - 64;
  let a0 = v128.load(a + last);
  let a1 = v128.load(a + last, 16);
  let a2 = v128.load(a + last, 32);
  let a3 = v128.load(a + last, 48);
  let b0 = v128.load(b + last);
  let b1 = v128.load(b + last, 16);
  let b2 = v128.load(b + last, 32);
  let b3 = v128.load(b + last, 48);
  for (let i: usize = 0; i < r << 1; i++) {
    const at = i << 6;
    const wasA0 = (a0 = v128.xor(a0, v128.load(a + at)));
    const wasA1 = (a1 = v128.xor(a1, v128.load(a + at, 16)));
    const wasA2 = (a2 = v128.xor(a2, v128.load(a + at, 32)));
    const wasA3 = (a3 = v128.xor(a3, v128.load(a + at, 48)));
    const wasB0 = (b0 = v128.xor(b0, v128.load(b + at)));
    const wasB1 = (b1 = v128.xor(b1, v128.load(b + at, 16)));
    const wasB2 = (b2 = v128.xor(b2, v128.load(b + at, 32)));
    const wasB3 = (b3 = v128.xor(b3, v128.load(b + at, 48)));
    for (let round = 0; round < ROUNDS; round += 2) {
      a1 = step(a1, a0, a3, 7);
      b1 = step(b1, b0, b3, 7);
      a2 = step(a2, a1, a0, 9);
      b2 = step(b2, b1, b0, 9);
      a3 = step(a3, a2, a1, 13);
      b3 = step(b3, b2, b1, 13);
      a0 = step(a0, a3, a2, 18);
      b0 = step(b0, b3, b2, 18);
      // Columns become rows.
      a1 = down(a1);
      b1 = down(b1);
      a2 = across(a2);
      b2 = across(b2);
      a3 = up(a3);
      b3 = up(b3);
      a3 = step(a3, a0, a1, 7);
      b3 = step(b3, b0, b1, 7);
      a2 = step(a2, a3, a0, 9);
      b2 = step(b2, b3, b0, 9);
      a1 = step(a1, a2, a3, 13);
      b1 = step(b1, b2, b3, 13);
      a0 = step(a0, a1, a2, 18);
      b0 = step(b0, b1, b2, 18);
      // And columns again.
      a1 = up(a1);
      b1 = up(b1);
      a2 = across(a2);
      b2 = across(b2);
      a3 = down(a3);
      b3 = down(b3);
    }
    // Even ones go to the first half, odd ones to the second.
    const place = ((i >> 1) + (i & 1) * r) << 6;
    v128.store(toA + place, (a0 = i32x4.add(a0, wasA0)));
    v128.store(toA + place, (a1 = i32x4.add(a1, wasA1)), 16);
    v128.store(toA + place, (a2 = i32x4.add(a2, wasA2)), 32);
    v128.store(toA + place, (a3 = i32x4.add(a3, wasA3)), 48);
    v128.store(toB + place, (b0 = i32x4.add(b0, wasB0)));
    v128.store(toB + place, (b1 = i32x4.add(b1, wasB1)), 16);
    v128.store(toB + place, (b2 = i32x4.add(b2, wasB2)), 32);
    v128.store(toB + place, (b3 = i32x4.add(b3, wasB3)), 48);
  }
}

function step(words: v128, x: v128, y: v128, left: i32): v128 {
  const sum = i32x4.add(x, y);
  return v128.xor(words, v128.or(i32x4.shl(sum, left), i32x4.shr_u(sum, 32 - left)));
}

function down(words: v128): v128 {
  return v128.shuffle<u32>(words, words, 3, 0, 1, 2);
}

function across(words: v128): v128 {
  return v128.shuffle<u32>(words, words, 2, 3, 0, 1);
}

function up(words: v128): v128 {
  return v128.shuffle<u32>(words, words, 1, 2, 3, 0);
}
