/**
 * The repository's inner loops, in AssemblyScript: Rabin fingerprints, Poly1305, XOR.
 *
 * Compiled by `node scripts/kernel.ts build`. There is no allocator: the caller owns the memory above `BASE`, everything
 * below is the kernel's own.
 */

/** First byte that belongs to the caller. */
export const BASE: usize = 65536;
const OUT: usize = 1024;
const MOD: usize = 4096;

// --- Rabin fingerprints over GF(2): a 64-byte window, cut where the digest's low bits are zero ------------------------

const WINDOW: usize = 64;
/** With fewer bits a cut is so near that most of what long lanes find would be thrown away. */
const BITS_FOR_LONG_LANES: u32 = 17;

// The polynomial has degree 53, so the byte that a shift pushes out lies above bit 53 - 8 before the shift.
const DEGREE: u64 = 53;
const TOP: u64 = DEGREE - 8;

function remainder(value: u64, polynomial: u64): u64 {
  while (value >> DEGREE) {
    value ^= polynomial << (63 - clz<u64>(value) - DEGREE);
  }
  return value;
}

/** Fills the tables that slide a byte out of the window and reduce a shifted digest. */
export function setPolynomial(polynomial: u64): void {
  for (let byte: u64 = 0; byte < 256; byte++) {
    let digest: u64 = byte;
    for (let i: usize = 1; i < WINDOW; i++) digest = remainder(digest << 8, polynomial);
    store<u64>(OUT + ((<usize>byte) << 3), digest);
    // One XOR both reduces the byte above the degree and clears it.
    const high = byte << DEGREE;
    store<u64>(MOD + ((<usize>byte) << 3), remainder(high, polynomial) | high);
  }
}

/** The digest with the byte at `at` shifted in. */
function append(digest: u64, at: usize): u64 {
  return ((digest << 8) | load<u8>(at)) ^ load<u64>((<usize>(digest >> TOP)) << 3, MOD);
}

/** Digest of the window that starts at `at`. */
function digestOf(at: usize): u64 {
  let digest: u64 = 0;
  const end = at + WINDOW;
  for (; at < end; at++) digest = append(digest, at);
  return digest;
}

/** The first position in [from, to] where the window that ends there asks for a cut; 0 if there is none. */
function cutInOneLane(from: usize, to: usize, mask: u64): usize {
  let window = from - WINDOW;
  const last = to - WINDOW;
  let digest = digestOf(window);
  while ((digest & mask) != 0) {
    if (window >= last) return 0;
    digest ^= load<u64>((<usize>load<u8>(window)) << 3, OUT);
    digest = append(digest, window + WINDOW);
    window++;
  }
  return window + WINDOW;
}

/**
 * The first position in [from, to] where a chunk ends, which is where `bits` bits of the digest are zero; 0 if there is
 * none. The 64 bytes before `from` must be readable.
 */
export function cut(from: usize, to: usize, bits: u32): usize {
  const mask: u64 = ((<u64>1) << bits) - 1;
  return bits < BITS_FOR_LONG_LANES ? cutInLanes<u16>(from, to, mask) : cutInLanes<u64>(from, to, mask);
}

const KIB: usize = 1024;

/**
 * A digest depends on its window alone, so three stretches can be scanned side by side, which hides the latency of the
 * table look-ups. The first lane's finding wins at once; those of the others wait for the lanes before them.
 *
 * Each lane scans as many KiB before the lanes are compared as `Kib` has bytes: a type, because the offsets of the
 * other lanes must be known when this is compiled.
 */
function cutInLanes<Kib>(from: usize, to: usize, mask: u64): usize {
  while (to - from >= 3 * KIB * sizeof<Kib>()) {
    let window = from - WINDOW;
    let a = digestOf(window);
    let b = digestOf(window + KIB * sizeof<Kib>());
    let c = digestOf(window + 2 * KIB * sizeof<Kib>());
    let second: usize = 0;
    let third: usize = 0;
    const end = window + KIB * sizeof<Kib>();
    for (; window < end; window++) {
      if ((a & mask) == 0) return window + WINDOW;
      if ((b & mask) == 0 && second == 0) second = window + WINDOW + KIB * sizeof<Kib>();
      if ((c & mask) == 0 && third == 0) third = window + WINDOW + 2 * KIB * sizeof<Kib>();
      a ^= load<u64>((<usize>load<u8>(window)) << 3, OUT);
      b ^= load<u64>((<usize>load<u8>(window, KIB * sizeof<Kib>())) << 3, OUT);
      c ^= load<u64>((<usize>load<u8>(window, 2 * KIB * sizeof<Kib>())) << 3, OUT);
      a = ((a << 8) | load<u8>(window, WINDOW)) ^ load<u64>((<usize>(a >> TOP)) << 3, MOD);
      b = ((b << 8) | load<u8>(window, WINDOW + KIB * sizeof<Kib>())) ^ load<u64>((<usize>(b >> TOP)) << 3, MOD);
      c = ((c << 8) | load<u8>(window, WINDOW + 2 * KIB * sizeof<Kib>())) ^ load<u64>((<usize>(c >> TOP)) << 3, MOD);
    }
    if (second) return second;
    if (third) return third;
    from += 3 * KIB * sizeof<Kib>();
  }
  return cutInOneLane(from, to, mask);
}

// --- Lines: a chunk ends where a line does, if the line's hash says so ------------------------------------------------

const NEWLINE: u8 = 10;
const NEWLINES: u64 = 0x0a0a0a0a0a0a0a0a;
const ONES: u64 = 0x0101010101010101;
const TOPS: u64 = 0x8080808080808080;
const SEED: u64 = 0x9e3779b97f4a7c15;
const FACTOR: u64 = 0xd6e8feb86659fd93;

/** Where the last call of `cutLines` met a line whose end it did not see. */
let unfinished: usize = 0;

export function unfinishedLine(): usize {
  return unfinished;
}

/** Where the line begins that holds the byte before `at`, but not before `from`. */
export function lineOf(from: usize, at: usize): usize {
  let start = at - 1;
  while (start > from && load<u8>(start - 1) != NEWLINE) start--;
  return start;
}

/**
 * The first line end in (line, to] with a cut; 0 if there is none. `line` is the beginning of a line. Of a line of n
 * bytes the chance is n in two to the `bits`: chunks are of that many bytes on average, however long the lines are.
 */
export function cutLines(line: usize, to: usize, bits: u32): usize {
  while (line < to) {
    let hash = SEED;
    let at = line;
    let word = load<u64>(at);
    let found = newlinesIn(word);
    while (found == 0 && at < to) {
      hash = mix(hash, word);
      at += 8;
      word = load<u64>(at);
      found = newlinesIn(word);
    }
    const bytesBefore = <usize>(ctz<u64>(found) >> 3);
    const end = at + bytesBefore + 1;
    if (found == 0 || end > to) break;
    // The bytes of the word that belong to the line.
    hash = mix(hash, bytesBefore == 0 ? 0 : word << ((8 - <u64>bytesBefore) << 3));
    const length = <u64>(end - line);
    if ((hash >> 32) << bits < length << 32) return end;
    line = end;
  }
  unfinished = line;
  return 0;
}

function mix(hash: u64, word: u64): u64 {
  return rotl<u64>(hash ^ word, 29) * FACTOR;
}

/** The top bit of each byte that is a newline; bits above the lowest one may be wrong. */
function newlinesIn(word: u64): u64 {
  const zeros = word ^ NEWLINES;
  return (zeros - ONES) & ~zeros & TOPS;
}

// --- Poly1305, one 130-bit number in five limbs of 26 bits ---------------------------------------------------------

const LIMB: u64 = 0x3ffffff;
/** The bit that a full block carries above its 128, within its top limb. */
const FULL: u64 = 1 << 24;

/** The accumulator, then the last block with its padding: between calls. */
const H: usize = 8192;
const LAST: usize = H + 64;
/** The limbs of r. */
const R: usize = H + 128;

/** Starts a message under the clamped r whose 16 bytes lie at `r`. */
export function poly1305Begin(r: usize): void {
  memory.fill(H, 0, 40);
  store<u64>(R, load<u32>(r) & 0x3ffffff);
  store<u64>(R + 8, (load<u32>(r + 3) >> 2) & 0x3ffff03);
  store<u64>(R + 16, (load<u32>(r + 6) >> 4) & 0x3ffc0ff);
  store<u64>(R + 24, (load<u32>(r + 9) >> 6) & 0x3f03fff);
  store<u64>(R + 32, (load<u32>(r + 12) >> 8) & 0x00fffff);
}

/** Feeds whole blocks: `length` is a multiple of 16. */
export function poly1305Blocks(at: usize, length: usize): void {
  multiplyBlocks(at, at + length, FULL);
}

/** Feeds the message's end, of any length; puts the 16-byte tag, masked with the 16 bytes at `s`, at `tag`. */
export function poly1305End(at: usize, length: usize, s: usize, tag: usize): void {
  const rest = length & 15;
  poly1305Blocks(at, length - rest);
  if (rest) {
    store<u64>(LAST, 0);
    store<u64>(LAST + 8, 0);
    memory.copy(LAST, at + length - rest, rest);
    store<u8>(LAST + rest, 1);
    multiplyBlocks(LAST, LAST + 16, 0);
  }
  finish(s, tag);
}

/** h = (h + block) * r for each block; `high` is what lies above a block's 128 bits. */
function multiplyBlocks(at: usize, end: usize, high: u64): void {
  const r0 = load<u64>(R);
  const r1 = load<u64>(R + 8);
  const r2 = load<u64>(R + 16);
  const r3 = load<u64>(R + 24);
  const r4 = load<u64>(R + 32);
  const s1 = r1 * 5;
  const s2 = r2 * 5;
  const s3 = r3 * 5;
  const s4 = r4 * 5;
  let h0 = load<u64>(H);
  let h1 = load<u64>(H + 8);
  let h2 = load<u64>(H + 16);
  let h3 = load<u64>(H + 24);
  let h4 = load<u64>(H + 32);
  for (; at < end; at += 16) {
    const low = load<u64>(at);
    const top = load<u64>(at + 8);
    h0 += low & LIMB;
    h1 += (low >> 26) & LIMB;
    h2 += ((low >> 52) | (top << 12)) & LIMB;
    h3 += (top >> 14) & LIMB;
    h4 += (top >> 40) | high;
    const d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1;
    const d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2 + (d0 >> 26);
    const d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3 + (d1 >> 26);
    const d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4 + (d2 >> 26);
    const d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0 + (d3 >> 26);
    h0 = (d0 & LIMB) + (d4 >> 26) * 5;
    h1 = (d1 & LIMB) + (h0 >> 26);
    h0 &= LIMB;
    h2 = d2 & LIMB;
    h3 = d3 & LIMB;
    h4 = d4 & LIMB;
  }
  store<u64>(H, h0);
  store<u64>(H + 8, h1);
  store<u64>(H + 16, h2);
  store<u64>(H + 24, h3);
  store<u64>(H + 32, h4);
}

/** Reduces the accumulator modulo 2^130 - 5 without branching on it, adds s, and writes the low 128 bits. */
function finish(s: usize, tag: usize): void {
  let h0 = load<u64>(H);
  let h1 = load<u64>(H + 8);
  let h2 = load<u64>(H + 16);
  let h3 = load<u64>(H + 24);
  let h4 = load<u64>(H + 32);
  // Only h1 may exceed its limb, by a small carry. If that ripples through the top limb, it leaves zeros behind, so that
  // what comes back at the bottom goes no further than h1.
  h2 += h1 >> 26;
  h1 &= LIMB;
  h3 += h2 >> 26;
  h2 &= LIMB;
  h4 += h3 >> 26;
  h3 &= LIMB;
  h0 += (h4 >> 26) * 5;
  h4 &= LIMB;
  h1 += h0 >> 26;
  h0 &= LIMB;
  // g = h - p: taken where it is not negative.
  const g0 = h0 + 5;
  const g1 = h1 + (g0 >> 26);
  const g2 = h2 + (g1 >> 26);
  const g3 = h3 + (g2 >> 26);
  const g4 = h4 + (g3 >> 26) - (1 << 26);
  const keep: u64 = 0 - (g4 >> 63);
  h0 = (h0 & keep) | (g0 & LIMB & ~keep);
  h1 = (h1 & keep) | (g1 & LIMB & ~keep);
  h2 = (h2 & keep) | (g2 & LIMB & ~keep);
  h3 = (h3 & keep) | (g3 & LIMB & ~keep);
  h4 = (h4 & keep) | (g4 & LIMB & ~keep);
  const low = h0 | (h1 << 26) | (h2 << 52);
  const top = (h2 >> 12) | (h3 << 14) | (h4 << 40);
  const sum = low + load<u64>(s);
  store<u64>(tag, sum);
  store<u64>(tag + 8, top + load<u64>(s + 8) + u64(sum < low));
}

// --- AES-CTR's parts that are not AES --------------------------------------------------------------------------------

/** Writes `count` successive 16-byte big-endian counters, starting with the one at `next`, which moves on. */
export function counters(next: usize, target: usize, count: usize): void {
  let high = bswap<u64>(load<u64>(next));
  let low = bswap<u64>(load<u64>(next + 8));
  const end = target + (count << 4);
  for (; target < end; target += 16) {
    store<u64>(target, bswap<u64>(high));
    store<u64>(target + 8, bswap<u64>(low));
    low++;
    high += u64(low == 0);
  }
  store<u64>(next, bswap<u64>(high));
  store<u64>(next + 8, bswap<u64>(low));
}

/** target ^= mask, `length` bytes. Up to 15 bytes past both ends are touched. */
export function xor(target: usize, mask: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) {
    v128.store(target + i, v128.xor(v128.load(target + i), v128.load(mask + i)));
  }
}
