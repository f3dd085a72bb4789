/**
 * The inner loop of dumps of PostgreSQL, in AssemblyScript: rows leave the messages that the server sends them in.
 *
 * Compiled by `node scripts/kernel.ts build`. There is no allocator: the caller owns the memory from `INPUT` on.
 */

/** Where the caller puts messages, at most CAPACITY bytes; what lies behind them may be read, and means nothing. */
export const INPUT: usize = 1024;
export const CAPACITY: usize = 262144;
/** From here on the caller says where rows go, one behind the other. */
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

/** Where the rows end in the output after the last `strip`. */
export function outputEnd(): usize {
  return written;
}

/**
 * Takes rows until the output is full, something else begins, or a head that is not whole or makes no sense.
 * @param from where in the input to begin
 * @param end of the input
 * @param rest bytes that are left of a row which began before
 * @param to where in the output the rows go; whole vectors are stored, up to one beyond the last of them
 * @param limit where in the output they end at the latest
 * @returns where in the input it ended: at a head, in a row, or at the end
 */
export function strip(from: usize, end: usize, rest: usize, to: usize, limit: usize): usize {
  let at = INPUT + from;
  let out = OUTPUT + to;
  const stop = INPUT + end;
  const full = OUTPUT + limit;
  left = rest;
  for (;;) {
    const length = min(left, min(stop - at, full - out));
    copy(out, at, length);
    out += length;
    at += length;
    left -= length;
    if (left != 0 || out == full || stop - at < HEAD || load<u8>(at) != COPY_DATA) break;
    const body = <usize>bswap<u32>(load<u32>(at, 1));
    if (body < LENGTH) break;
    left = body - LENGTH;
    at += HEAD;
  }
  written = out - OUTPUT;
  return at - INPUT;
}

function copy(to: usize, from: usize, length: usize): void {
  if (length >= LONG) {
    memory.copy(to, from, length);
    return;
  }
  for (let i: usize = 0; i < length; i += VECTOR) v128.store(to + i, v128.load(from + i));
}
