/**
 * The inner loop of reading an index file, in AssemblyScript: the entries of blobs, in the one form that restic and
 * Respaldo write, become rows of words.
 *
 * Compiled by `node scripts/kernel.ts build`. There is no allocator: the caller owns the memory from `INPUT` on.
 */

/** Where the caller puts a stretch of the file, at most CAPACITY bytes; what lies behind it may be read, and means nothing. */
export const INPUT: usize = 1024;
export const CAPACITY: usize = 262144;
/** Where rows are written: an id of 32 bytes; then whether it is a tree, its offset, its length, and that of its content. */
export const OUTPUT: usize = INPUT + CAPACITY + 512;
const ROW: usize = 48;

const ID_DIGITS: usize = 64;
/** Sealed, even nothing takes as much. */
const LEAST_LENGTH: u32 = 32;
const MOST_DIGITS: usize = 10;

/** Text as the machine's words have it. */
const BEGIN: u64 = 0x223a226469227b; // {"id":"
const TYPE: u64 = 0x2265707974222c22; // ","type"
const DATA: u64 = 0x2c2261746164223a; // :"data",
const TREE: u64 = 0x2c2265657274223a; // :"tree",
const OFFSET: u64 = 0x2274657366666f22; // "offset"
const LENGTH: u64 = 0x6874676e656c222c; // ,"length
const PLAIN: u64 = 0x706d6f636e75222c; // ,"uncomp
const PLAIN_ON: u64 = 0x6c5f646573736572; // ressed_l
const PLAIN_END: u64 = 0x3a226874676e656c; // length":
const QUOTE_COLON: u16 = 0x3a22;
const COLON: u8 = 0x3a;
const COMMA: u8 = 0x2c;
const CLOSE: u8 = 0x7d;
const END_OF_LIST: u8 = 0x5d;

let count: usize = 0;
let ended: bool = false;
/** What `number` has read. */
let value: u32 = 0;

/** Rows of the last `entries`. */
export function rowCount(): usize {
  return count;
}

/** Whether the last `entries` came to the closing bracket, which is among what it took. */
export function isEnded(): bool {
  return ended;
}

/**
 * Reads entries, each with the comma or the bracket behind it, until one is not whole or of another form.
 * @param from where in the input the first one begins
 * @param length of the input
 * @returns where the first one begins that is left, or the end of the list
 */
export function entries(from: usize, length: usize): usize {
  const end = INPUT + length;
  let at = INPUT + from;
  count = 0;
  ended = false;
  while (at < end && !ended) {
    const next = entry(at, OUTPUT + count * ROW);
    if (next == 0 || next >= end) break;
    const byte = load<u8>(next);
    if (byte != COMMA && byte != END_OF_LIST) break;
    ended = byte == END_OF_LIST;
    at = next + 1;
    count++;
  }
  return at - INPUT;
}

/** @returns where it ends; 0: it is none. */
function entry(from: usize, row: usize): usize {
  if ((load<u64>(from) & 0xffffffffffffff) != BEGIN) return 0;
  let at = from + 7;
  if (!id(at, row)) return 0;
  at += ID_DIGITS;
  const type = load<u64>(at, 8);
  if (load<u64>(at) != TYPE || (type != DATA && type != TREE)) return 0;
  if (load<u64>(at, 16) != OFFSET || load<u8>(at, 24) != COLON) return 0;
  store<u32>(row, type == TREE ? 1 : 0, 32);
  at = number(at + 25);
  if (at == 0) return 0;
  store<u32>(row, value, 36);
  if (load<u64>(at) != LENGTH || load<u16>(at, 8) != QUOTE_COLON) return 0;
  at = number(at + 10);
  if (at == 0 || value < LEAST_LENGTH) return 0;
  store<u32>(row, value, 40);
  value = 0;
  if (load<u64>(at) == PLAIN && load<u64>(at, 8) == PLAIN_ON && load<u64>(at, 15) == PLAIN_END) {
    at = number(at + 23);
    if (at == 0) return 0;
  }
  store<u32>(row, value, 44);
  return load<u8>(at) == CLOSE ? at + 1 : 0;
}

/** @returns where it ends; 0: it is none, or does not fit into 32 bits. */
function number(from: usize): usize {
  let read: u64 = 0;
  let at = from;
  for (; at < from + MOST_DIGITS; at++) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit > 9) break;
    read = read * 10 + digit;
  }
  if (at == from || read > 0xffffffff) return 0;
  value = <u32>read;
  return at;
}

/** @returns false if these are no digits of an id: only small letters are. */
function id(from: usize, to: usize): bool {
  return half(from, to) && half(from + 32, to + 16);
}

function half(from: usize, to: usize): bool {
  const a = v128.load(from);
  const b = v128.load(from, 16);
  if (!i8x16.all_true(v128.and(digits(a), digits(b)))) return false;
  const high = i8x16.shuffle(nibbles(a), nibbles(b), 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const low = i8x16.shuffle(nibbles(a), nibbles(b), 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  v128.store(to, v128.or(i8x16.shl(high, 4), low));
  return true;
}

/** All ones for each byte that is a digit. */
function digits(text: v128): v128 {
  const isNumber = i8x16.lt_u(i8x16.sub(text, i8x16.splat(0x30)), i8x16.splat(10));
  return v128.or(isNumber, i8x16.lt_u(i8x16.sub(text, i8x16.splat(0x61)), i8x16.splat(6)));
}

/** The value of each digit: letters have a bit that the others lack, and follow on 0x60. */
function nibbles(text: v128): v128 {
  const isLetter = i8x16.gt_u(text, i8x16.splat(0x39));
  return i8x16.add(v128.and(text, i8x16.splat(15)), v128.and(isLetter, i8x16.splat(9)));
}
