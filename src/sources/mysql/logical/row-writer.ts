/**
 * Rows of a SELECT, as a server sends them, become INSERT statements as the dump programs write them: numbers bare, bytes
 * that are no text as hexadecimal digits, text in quotes. A row has a line of its own.
 */
import { RespaldoError } from '../../../errors.ts';
import { RowKernel } from '../row-kernel/row-kernel.ts';
import { BINARY, type Column, type RowSink, type TakenRows } from '../wire/reply.ts';

/** A statement grows to about this many bytes; so does what is handed on at a time. */
const STATEMENT = 1_000_000;
const PIECE = 1024 * 1024;
const NULL = Buffer.from('NULL');
const END = Buffer.from(';\n');
const BETWEEN = Buffer.from(',\n');
/** `-0` is a whole number to MySQL, and those have no sign then: of a floating-point number it is written `-0e0`. */
const MINUS_ZERO = 0x302d;
const REAL = Buffer.from('e0');

const QUOTE = 0x27;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN = 0x28;
const CLOSE = 0x29;
const ZERO = 0x30;
const X = 0x78;

type Form = 'bare' | 'hex' | 'text';
const BARE = 0;
const HEX = 1;
const TEXT = 2;

/** What a byte of text is written as after a backslash; 0: it stands for itself. */
const ESCAPES = new Uint8Array(256);
for (const [byte, letter] of [
  [0x00, '0'],
  [0x0a, 'n'],
  [0x0d, 'r'],
  [0x1a, 'Z'],
  [0x22, '"'],
  [QUOTE, "'"],
  [BACKSLASH, '\\'],
] as const)
  ESCAPES[byte] = letter.charCodeAt(0);
const DIGITS = Buffer.from('0123456789ABCDEF');

/** TINY, SHORT, LONG, FLOAT, DOUBLE, LONGLONG, INT24, YEAR, NEWDECIMAL. */
const NUMBERS = [1, 2, 3, 4, 5, 8, 9, 13, 246];
const BIT = 16;
/** VARCHAR, VECTOR, the BLOBs, VAR_STRING, STRING, GEOMETRY: those that may hold what is no text. */
const STRINGS = [15, 242, 249, 250, 251, 252, 253, 254, 255];

/** How the values of a column are written. */
export function formOf({ type, charset }: Column): Form {
  if (NUMBERS.includes(type)) return 'bare';
  return type === BIT || (charset === BINARY && STRINGS.includes(type)) ? 'hex' : 'text';
}

export class RowWriter implements RowSink {
  /** How many there were. */
  count = 0;
  readonly #insert: Buffer;
  readonly #onPiece: (piece: Uint8Array) => boolean;
  #forms: Uint8Array = new Uint8Array();
  #out = Buffer.allocUnsafeSlow(PIECE);
  #filled = 0;
  /** Bytes of the statement so far; 0: none has begun. */
  #statement = 0;
  /** What the piece that the present row has filled was answered by. */
  #mayGoOn = true;

  /**
   * @param insert what a statement begins with, up to its VALUES
   * @param onPiece is given each piece for good. @returns whether more may come now
   */
  constructor(insert: string, onPiece: (piece: Uint8Array) => boolean) {
    this.#insert = Buffer.from(`${insert}\n`);
    this.#onPiece = onPiece;
  }

  begin(columns: readonly Column[]): void {
    const codes = { bare: BARE, hex: HEX, text: TEXT } as const;
    this.#forms = Uint8Array.from(columns, (column) => codes[formOf(column)]);
  }

  row(bytes: Buffer, from: number, to: number): boolean {
    this.#mayGoOn = true;
    // A byte becomes two at most; a value has two quotes and a comma, for which its own length byte makes up in part.
    this.#reserve(2 * (to - from) + 4 * this.#forms.length + this.#insert.length + 16);
    const before = this.#filled;
    this.#put(this.#statement === 0 ? this.#insert : BETWEEN);
    this.#filled = writeRow(bytes, from, to, this.#forms, this.#out, this.#filled);
    this.#statement += this.#filled - before;
    this.count += 1;
    if (this.#statement >= STATEMENT) this.#endStatement();
    return this.#mayGoOn;
  }

  /** All but the first of each statement, and those that are very long, are written many at once. */
  rows(bytes: Buffer, from: number, to: number): TakenRows {
    this.#mayGoOn = true;
    if (this.#statement === 0) return { next: from, goOn: true };
    const limit = STATEMENT - this.#statement;
    const { taken, count, text } = RowKernel.get().rows(bytes.subarray(from, to), this.#forms, limit);
    this.#reserve(text.length + END.length);
    this.#out.set(text, this.#filled);
    this.#filled += text.length;
    this.#statement += text.length;
    this.count += count;
    if (this.#statement >= STATEMENT) this.#endStatement();
    return { next: from + taken, goOn: this.#mayGoOn };
  }

  /** After the last row. */
  end(): void {
    if (this.#statement > 0) {
      this.#reserve(END.length);
      this.#endStatement();
    }
    this.#handOn();
  }

  #endStatement(): void {
    this.#put(END);
    this.#statement = 0;
  }

  #put(text: Buffer): void {
    this.#filled += text.copy(this.#out, this.#filled);
  }

  #reserve(length: number): void {
    if (this.#filled + length <= this.#out.length) return;
    this.#handOn();
    if (length > this.#out.length) this.#out = Buffer.allocUnsafeSlow(length);
  }

  #handOn(): void {
    if (this.#filled === 0) return;
    this.#mayGoOn = this.#onPiece(this.#out.subarray(0, this.#filled));
    this.#out = Buffer.allocUnsafeSlow(PIECE);
    this.#filled = 0;
  }
}

/**
 * @returns where it ends in `out`, which has room for it
 * @throws RespaldoError `source-damaged` for a row whose values do not fill it
 */
function writeRow(bytes: Buffer, from: number, limit: number, forms: Uint8Array, out: Buffer, begin: number): number {
  let at = from;
  let to = begin;
  out[to++] = OPEN;
  for (let i = 0; i < forms.length; i++) {
    if (i > 0) out[to++] = COMMA;
    const first = bytes[at] ?? 0;
    if (first === 0xfb) {
      to += NULL.copy(out, to);
      at += 1;
      continue;
    }
    let length = first;
    at += 1;
    if (first === 0xfc) {
      length = bytes.readUInt16LE(at);
      at += 2;
    } else if (first === 0xfd) {
      length = bytes.readUIntLE(at, 3);
      at += 3;
    } else if (first === 0xfe) {
      length = Number(bytes.readBigUInt64LE(at));
      at += 8;
    }
    const end = at + length;
    if (end > limit) throw broken();
    const form = forms[i];
    if (form === BARE) {
      const isMinusZero = length === 2 && bytes.readUInt16LE(at) === MINUS_ZERO;
      for (; at < end; at++) out[to++] = bytes[at] ?? 0;
      if (isMinusZero) to += REAL.copy(out, to);
    } else if (form === HEX && length > 0) to = writeHex(bytes, at, end, out, to);
    else to = writeText(bytes, at, end, out, to);
    at = end;
  }
  if (at !== limit) throw broken();
  out[to++] = CLOSE;
  return to;
}

function broken(): RespaldoError {
  return new RespaldoError('source-damaged', 'the server sent a row whose values do not fill it', {
    hint: 'Nothing was stored as a snapshot. Try again; arg=--skip-disable-keys lets the dump program read the tables.',
  });
}

function writeText(bytes: Buffer, from: number, end: number, out: Buffer, begin: number): number {
  let to = begin;
  out[to++] = QUOTE;
  for (let at = from; at < end; at++) {
    const byte = bytes[at] ?? 0;
    const letter = ESCAPES[byte] ?? 0;
    if (letter === 0) out[to++] = byte;
    else {
      out[to++] = BACKSLASH;
      out[to++] = letter;
    }
  }
  out[to++] = QUOTE;
  return to;
}

function writeHex(bytes: Buffer, from: number, end: number, out: Buffer, begin: number): number {
  let to = begin;
  out[to++] = ZERO;
  out[to++] = X;
  for (let at = from; at < end; at++) {
    const byte = bytes[at] ?? 0;
    out[to++] = DIGITS[byte >> 4] ?? 0;
    out[to++] = DIGITS[byte & 15] ?? 0;
  }
  return to;
}
