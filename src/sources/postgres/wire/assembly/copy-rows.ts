/**
 * The inner loop of dumps of PostgreSQL, in AssemblyScript: rows leave the messages that the server sends them in.
 *
 * Compiled by `node scripts/kernel.ts build`. There is no allocator: the caller owns the memory from `INPUT` on.
 */

/** Where the caller puts messages, at most CAPACITY bytes; what lies behind them may be read, and means nothing. */
export const INPUT: usize = 1024;
export const CAPACITY: usize = 262144;
/** Where rows go, one behind the other: never more bytes than come in; whole vectors are stored. */
export const OUTPUT: usize = INPUT + CAPACITY + 64;

const COPY_DATA: u8 = 0x64;
/** A byte for the type, then the length, which counts itself. */
const HEAD: usize = 5;
const LENGTH: usize = 4;
const VECTOR: usize = 16;
/** From here on it is worth to ask for a copy of any length. */
const LONG: usize = 1024;

let left: usize = 0;
let written: usize = 0;

/** How much of the last row is missing where the bytes end. */
export function leftOfRow(): usize {
  return left;
}

/** Bytes of rows after the last `strip`. */
export function outputLength(): usize {
  return written;
}

/**
 * Takes rows until something else begins, or a head that is not whole or makes no sense.
 * @param from where in the input to begin
 * @param end of the input
 * @param rest bytes that are left of a row which began before
 * @param filled bytes of rows that are in the output already
 * @returns where in the input it ended: at a head, or at the end
 */
export function strip(from: usize, end: usize, rest: usize, filled: usize): usize {
  let at = INPUT + from;
  let to = OUTPUT + filled;
  const stop = INPUT + end;
  left = rest;
  for (;;) {
    const length = min(left, stop - at);
    copy(to, at, length);
    to += length;
    at += length;
    left -= length;
    if (left != 0 || stop - at < HEAD || load<u8>(at) != COPY_DATA) break;
    const body = <usize>bswap<u32>(load<u32>(at, 1));
    if (body < LENGTH) break;
    left = body - LENGTH;
    at += HEAD;
  }
  written = to - OUTPUT;
  return at - INPUT;
}

function copy(to: usize, from: usize, length: usize): void {
  if (length >= LONG) {
    memory.copy(to, from, length);
    return;
  }
  for (let i: usize = 0; i < length; i += VECTOR) v128.store(to + i, v128.load(from + i));
}
