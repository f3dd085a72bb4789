/** What a server answers to a query. Pure. */
import { RespaldoError } from '../../../errors.ts';

const EOF = 0xfe;
const ERROR = 0xff;
const LONGEST_EOF = 9;

export function isError(bytes: Buffer, from: number): boolean {
  return bytes[from] === ERROR;
}

export function isEnd(bytes: Buffer, from: number, to: number): boolean {
  return bytes[from] === EOF && to - from < LONGEST_EOF;
}

/** As the client programs tell it: `ERROR 1412 (HY000): Table definition has changed`. */
export function readError(bytes: Buffer, from: number, to: number): RespaldoError {
  const hasState = bytes[from + 3] === 0x23;
  const state = hasState ? ` (${bytes.toString('latin1', from + 4, from + 9)})` : '';
  const said = bytes.toString('utf8', from + (hasState ? 9 : 3), to);
  return new RespaldoError('command-failed', `ERROR ${String(bytes.readUInt16LE(from + 1))}${state}: ${said}`);
}

/** A column of an answer. */
export interface Column {
  readonly type: number;
  /** Of its text; 63: it is none. */
  readonly charset: number;
}

/** Takes what a SELECT gives, while it comes. */
export interface RowSink {
  begin(columns: readonly Column[]): void;
  /** The bytes are valid until it returns. @returns whether more may come now: else `resume()` is called */
  row(bytes: Buffer, from: number, to: number): boolean;
  /** Offered before `row` whatever has come, in packets that follow one another; the last one may be cut. */
  rows?(bytes: Buffer, from: number, to: number): TakenRows;
}

export interface TakenRows {
  /** Where the first packet begins that was not taken. */
  readonly next: number;
  /** Whether more may come now. */
  readonly goOn: boolean;
}

export const BINARY = 63;

export function readColumn(bytes: Buffer, from: number): Column {
  let at = from;
  // Catalog, database, table twice, name twice.
  for (let i = 0; i < 6; i++) {
    const [length, start] = readLength(bytes, at);
    at = start + length;
  }
  return { charset: bytes.readUInt16LE(at + 1), type: bytes[at + 7] ?? 0 };
}

/** A row as what was sent. */
export function readValues(bytes: Buffer, from: number, to: number): (Buffer | null)[] {
  const values: (Buffer | null)[] = [];
  for (let at = from; at < to;) {
    if (bytes[at] === NULL) {
      values.push(null);
      at += 1;
      continue;
    }
    const [length, start] = readLength(bytes, at);
    values.push(Buffer.from(bytes.subarray(start, start + length)));
    at = start + length;
  }
  return values;
}

const NULL = 0xfb;

/** A number that says how long something is, and where that begins. */
function readLength(bytes: Buffer, at: number): readonly [length: number, start: number] {
  const first = bytes[at] ?? 0;
  if (first === 0xfc) return [bytes.readUInt16LE(at + 1), at + 3];
  if (first === 0xfd) return [bytes.readUIntLE(at + 1, 3), at + 4];
  if (first === 0xfe) return [Number(bytes.readBigUInt64LE(at + 1)), at + 9];
  return [first, at + 1];
}
