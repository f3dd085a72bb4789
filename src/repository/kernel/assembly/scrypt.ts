/**
 * The costly part of scrypt (`scryptROMix` of RFC 7914), in AssemblyScript, for two or three lanes at a time. They do not
 * depend on each other: every step of a lane waits for the one before, and steps of the other lanes fill that time. For a
 * fourth there are not registers enough.
 *
 * Compiled by `node scripts/kernel.ts build`. A lane's block has 128 * r bytes. The memory holds, in blocks: the lanes'
 * states, room for their next states; then for each lane n + 1 blocks, its table and what follows the table's last entry.
 * The caller puts a lane's block where its table begins, and finds it in the state afterwards.
 *
 * Of each 64 bytes, the 16 words lie in the order 0 5 10 15, 4 9 14 3, 8 13 2 7, 12 1 6 11: so Salsa20 works on whole
 * vectors.
 *
 * What has a type `L` is compiled once for two lanes and once for three: how many fields `L` has says which.
 */

class Two {
  a: u8 = 0;
  b: u8 = 0;
}

class Three {
  a: u8 = 0;
  b: u8 = 0;
  c: u8 = 0;
}

const ROUNDS = 8;

/** Fills the tables' entries after `from` up to `to`; with the last one, the states as well. */
export function fillTwo(r: usize, n: usize, from: usize, to: usize): void {
  fill<Two>(r, n, from, to);
}

export function fillThree(r: usize, n: usize, from: usize, to: usize): void {
  fill<Three>(r, n, from, to);
}

/** Mixes the states with entries of their tables, `times` times: an even number. */
export function mixTwo(r: usize, n: usize, times: usize): void {
  mix<Two>(r, n, times);
}

export function mixThree(r: usize, n: usize, times: usize): void {
  mix<Three>(r, n, times);
}

function fill<L>(r: usize, n: usize, from: usize, to: usize): void {
  const block = r << 7;
  for (; from < to; from++) {
    const at = tables<L>(r) + from * block;
    mixBlocks<L>(r, at, at + block, (n + 1) * block);
  }
  if (to === n) copyStates<L>(r, n);
}

function mix<L>(r: usize, n: usize, times: usize): void {
  const block = r << 7;
  const next = lanes<L>() * block;
  for (; times > 0; times -= 2) {
    xorEntries<L>(r, n, 0);
    mixBlocks<L>(r, 0, next, block);
    xorEntries<L>(r, n, next);
    mixBlocks<L>(r, next, 0, block);
  }
}

function lanes<L>(): usize {
  return offsetof<L>();
}

/** Where the tables begin, behind the states and their successors. */
function tables<L>(r: usize): usize {
  return 2 * lanes<L>() * (r << 7);
}

/** What follows the tables' last entries becomes the states. */
function copyStates<L>(r: usize, n: usize): void {
  const block = r << 7;
  for (let lane: usize = 0; lane < lanes<L>(); lane++)
    memory.copy(lane * block, tables<L>(r) + (lane * (n + 1) + n) * block, block);
}

/** To the states at `from` comes what their tables hold where they say. */
function xorEntries<L>(r: usize, n: usize, from: usize): void {
  const block = r << 7;
  const table = (n + 1) * block;
  const a = from;
  const b = a + block;
  const c = b + block;
  const maskA = tables<L>(r) + entry(a, r, n);
  const maskB = tables<L>(r) + table + entry(b, r, n);
  const maskC = lanes<L>() === 3 ? tables<L>(r) + 2 * table + entry(c, r, n) : 0;
  // All of them before anything is mixed: the memory answers slowly, but many questions at a time.
  for (let i: usize = 0; i < block; i += 16) {
    v128.store(a + i, v128.xor(v128.load(a + i), v128.load(maskA + i)));
    v128.store(b + i, v128.xor(v128.load(b + i), v128.load(maskB + i)));
    if (lanes<L>() === 3) v128.store(c + i, v128.xor(v128.load(c + i), v128.load(maskC + i)));
  }
}

/** Where in its table the entry lies that a state asks for. */
function entry(state: usize, r: usize, n: usize): usize {
  const block = r << 7;
  return ((<usize>load<u32>(state + block - 64)) & (n - 1)) * block;
}

/** `scryptBlockMix` of the block at `from`, to that at `to`, and likewise for each next lane, so many bytes apart. */
function mixBlocks<L>(r: usize, from: usize, to: usize, apart: usize): void {
  const isThree = lanes<L>() === 3;
  const last = (r << 7) - 64;
  const a = from;
  const b = a + apart;
  const c = b + apart;
  const toA = to;
  const toB = toA + apart;
  const toC = toB + apart;
  let a0 = v128.load(a + last);
  let a1 = v128.load(a + last, 16);
  let a2 = v128.load(a + last, 32);
  let a3 = v128.load(a + last, 48);
  let b0 = v128.load(b + last);
  let b1 = v128.load(b + last, 16);
  let b2 = v128.load(b + last, 32);
  let b3 = v128.load(b + last, 48);
  let c0 = isThree ? v128.load(c + last) : a0;
  let c1 = isThree ? v128.load(c + last, 16) : a1;
  let c2 = isThree ? v128.load(c + last, 32) : a2;
  let c3 = isThree ? v128.load(c + last, 48) : a3;
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
    const wasC0 = isThree ? (c0 = v128.xor(c0, v128.load(c + at))) : c0;
    const wasC1 = isThree ? (c1 = v128.xor(c1, v128.load(c + at, 16))) : c1;
    const wasC2 = isThree ? (c2 = v128.xor(c2, v128.load(c + at, 32))) : c2;
    const wasC3 = isThree ? (c3 = v128.xor(c3, v128.load(c + at, 48))) : c3;
    for (let round = 0; round < ROUNDS; round += 2) {
      a1 = step(a1, a0, a3, 7);
      b1 = step(b1, b0, b3, 7);
      if (isThree) c1 = step(c1, c0, c3, 7);
      a2 = step(a2, a1, a0, 9);
      b2 = step(b2, b1, b0, 9);
      if (isThree) c2 = step(c2, c1, c0, 9);
      a3 = step(a3, a2, a1, 13);
      b3 = step(b3, b2, b1, 13);
      if (isThree) c3 = step(c3, c2, c1, 13);
      a0 = step(a0, a3, a2, 18);
      b0 = step(b0, b3, b2, 18);
      if (isThree) c0 = step(c0, c3, c2, 18);
      // Columns become rows.
      a1 = down(a1);
      b1 = down(b1);
      if (isThree) c1 = down(c1);
      a2 = across(a2);
      b2 = across(b2);
      if (isThree) c2 = across(c2);
      a3 = up(a3);
      b3 = up(b3);
      if (isThree) c3 = up(c3);
      a3 = step(a3, a0, a1, 7);
      b3 = step(b3, b0, b1, 7);
      if (isThree) c3 = step(c3, c0, c1, 7);
      a2 = step(a2, a3, a0, 9);
      b2 = step(b2, b3, b0, 9);
      if (isThree) c2 = step(c2, c3, c0, 9);
      a1 = step(a1, a2, a3, 13);
      b1 = step(b1, b2, b3, 13);
      if (isThree) c1 = step(c1, c2, c3, 13);
      a0 = step(a0, a1, a2, 18);
      b0 = step(b0, b1, b2, 18);
      if (isThree) c0 = step(c0, c1, c2, 18);
      // And columns again.
      a1 = up(a1);
      b1 = up(b1);
      if (isThree) c1 = up(c1);
      a2 = across(a2);
      b2 = across(b2);
      if (isThree) c2 = across(c2);
      a3 = down(a3);
      b3 = down(b3);
      if (isThree) c3 = down(c3);
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
    if (!isThree) continue;
    v128.store(toC + place, (c0 = i32x4.add(c0, wasC0)));
    v128.store(toC + place, (c1 = i32x4.add(c1, wasC1)), 16);
    v128.store(toC + place, (c2 = i32x4.add(c2, wasC2)), 32);
    v128.store(toC + place, (c3 = i32x4.add(c3, wasC3)), 48);
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
