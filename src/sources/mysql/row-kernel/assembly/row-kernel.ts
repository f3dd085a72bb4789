/**
 * The inner loop of dumps of MySQL, in AssemblyScript: rows as a server sends them become rows of an INSERT statement.
 *
 * Compiled by `node scripts/kernel.ts build`. There is no allocator: the caller owns the memory from `INPUT` on.
 */

/** Where the caller puts packets, at most CAPACITY bytes; what lies behind them may be read, and means nothing. */
export const INPUT: usize = 65536;
export const CAPACITY: usize = 262144;
/** Where rows are written: a byte becomes five at most, for a NULL with a comma; whole vectors are stored. */
export const OUTPUT: usize = INPUT + CAPACITY + 64;
/** A byte for each column: 0 bare, 1 hexadecimal, 2 text. */
export const FORMS: usize = 1024;

const HEADER: usize = 4;
const LONGEST: u32 = 0xffffff;
const NULL: u8 = 0xfb;
const TWO: u8 = 0xfc;
const THREE: u8 = 0xfd;

/** `-0` is a whole number to MySQL, and those have no sign then: of a floating-point number it is written `-0e0`. */
const MINUS_ZERO: u16 = 0x302d;
const MINUS_ZERO_REAL: u32 = 0x3065302d;

/** What a byte of text is written as after a backslash. */
const ESCAPES: usize = 0;
/** Two digits for each byte. */
const DIGITS: usize = 256;

let written: usize = 0;
let count: u32 = 0;

export function begin(): void {
  store<u8>(ESCAPES + 0x00, 0x30);
  store<u8>(ESCAPES + 0x0a, 0x6e);
  store<u8>(ESCAPES + 0x0d, 0x72);
  store<u8>(ESCAPES + 0x1a, 0x5a);
  store<u8>(ESCAPES + 0x22, 0x22);
  store<u8>(ESCAPES + 0x27, 0x27);
  store<u8>(ESCAPES + 0x5c, 0x5c);
  for (let byte: usize = 0; byte < 256; byte++) {
    store<u8>(DIGITS + 2 * byte, digit(byte >> 4));
    store<u8>(DIGITS + 2 * byte + 1, digit(byte & 15));
  }
}

function digit(value: usize): u8 {
  return <u8>(value < 10 ? 0x30 + value : 0x37 + value);
}

/** Bytes of output of the last `rows`. */
export function outputLength(): usize {
  return written;
}

/** Rows of the last `rows`. */
export function rowCount(): u32 {
  return count;
}

/**
 * Writes each packet that is a whole row of `columns` values as `,\n(…)`, until one is not, or `limit` bytes are written.
 * @returns how many bytes of the input that took
 */
export function rows(length: usize, columns: usize, limit: usize): usize {
  const end = INPUT + length;
  let at = INPUT;
  let to = OUTPUT;
  count = 0;
  while (at + HEADER < end && to < OUTPUT + limit) {
    const size = load<u32>(at) & LONGEST;
    const next = at + HEADER + size;
    if (size == LONGEST || next > end) break;
    const wrote = row(at + HEADER, next, columns, to);
    if (wrote == 0) break;
    to = wrote;
    at = next;
    count++;
  }
  written = to - OUTPUT;
  return at - INPUT;
}

/** @returns where it ends in the output; 0: it is no row, or none that this function knows. */
function row(from: usize, limit: usize, columns: usize, begin: usize): usize {
  let at = from;
  let to = begin;
  store<u16>(to, 0x0a2c);
  store<u8>(to + 2, 0x28);
  to += 3;
  for (let i: usize = 0; i < columns; i++) {
    if (i > 0) store<u8>(to++, 0x2c);
    if (at >= limit) return 0;
    const first = load<u8>(at++);
    if (first == NULL) {
      store<u32>(to, 0x4c4c554e);
      to += 4;
      continue;
    }
    let length: usize = first;
    if (first == TWO) {
      length = load<u16>(at);
      at += 2;
    } else if (first == THREE) {
      length = load<u32>(at) & LONGEST;
      at += 3;
    } else if (first > THREE) return 0;
    if (at > limit || length > limit - at) return 0;
    const form = load<u8>(FORMS + i);
    if (form == 0) to = writeBare(at, length, to);
    else if (form == 1 && length > 0) to = writeHex(at, length, to);
    else to = writeText(at, length, to);
    at += length;
  }
  if (at != limit) return 0;
  store<u8>(to, 0x29);
  return to + 1;
}

function writeBare(at: usize, length: usize, to: usize): usize {
  if (length == 2 && load<u16>(at) == MINUS_ZERO) {
    store<u32>(to, MINUS_ZERO_REAL);
    return to + 4;
  }
  for (let i: usize = 0; i < length; i += 16) v128.store(to + i, v128.load(at + i));
  return to + length;
}

function writeHex(from: usize, length: usize, begin: usize): usize {
  let to = begin;
  store<u16>(to, 0x7830);
  to += 2;
  for (let i: usize = 0; i < length; i++) {
    store<u16>(to, load<u16>(DIGITS + 2 * <usize>load<u8>(from + i)));
    to += 2;
  }
  return to;
}

function writeText(from: usize, length: usize, begin: usize): usize {
  // Which upper halves of a byte a lower half means something with: a bit for each of 0, 1, 2 and 5.
  const lower = i8x16(1, 0, 4, 0, 0, 0, 0, 4, 0, 0, 3, 0, 8, 1, 0, 0);
  const upper = i8x16(1, 2, 4, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const low = i8x16.splat(15);
  const end = from + length;
  let at = from;
  let to = begin;
  store<u8>(to++, 0x27);
  while (at < end) {
    const bytes = v128.load(at);
    v128.store(to, bytes);
    const special = v128.and(i8x16.swizzle(lower, v128.and(bytes, low)), i8x16.swizzle(upper, i8x16.shr_u(bytes, 4)));
    const step = min(end - at, 16);
    // A bit where nothing is special, so that the last one always is there.
    const plain: u32 = i8x16.bitmask(i8x16.eq(special, i8x16.splat(0))) as u32;
    const before: usize = ctz<u32>(~plain | 0x10000);
    if (before >= step) {
      at += step;
      to += step;
      continue;
    }
    at += before;
    to += before;
    store<u8>(to, 0x5c);
    store<u8>(to + 1, load<u8>(ESCAPES + <usize>load<u8>(at)));
    at++;
    to += 2;
  }
  store<u8>(to, 0x27);
  return to + 1;
}
