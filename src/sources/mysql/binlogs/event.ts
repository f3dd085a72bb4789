/** What an event of a binary log looks like. Pure. */
import { crc32, inflateSync } from 'node:zlib';

/** What a file begins with. */
export const MAGIC = Buffer.from([0xfe, 0x62, 0x69, 0x6e]);
/** Where the first event of a file begins. */
export const FIRST = MAGIC.length;
export const HEADER_BYTES = 19;
const CHECKSUM_BYTES = 4;

export const EVENT = {
  query: 2,
  stop: 3,
  rotate: 4,
  intvar: 5,
  rand: 13,
  userVar: 14,
  format: 15,
  xid: 16,
  beginLoadQuery: 17,
  executeLoadQuery: 18,
  tableMap: 19,
  incident: 26,
  heartbeat: 27,
  ignorable: 28,
  rowsQuery: 29,
  mysqlGtid: 33,
  mysqlAnonymousGtid: 34,
  mysqlPreviousGtids: 35,
  xaPrepare: 38,
  mysqlPayload: 40,
  heartbeat2: 41,
  mysqlTaggedGtid: 42,
  annotateRows: 160,
  checkpoint: 161,
  gtid: 162,
  gtidList: 163,
  startEncryption: 164,
  compressedQuery: 165,
} as const;

/** Events with rows of a table, whose map precedes them: those of both products, old and new, compressed or not. */
const ROWS: ReadonlySet<number> = new Set([
  ...[20, 21, 22, 23, 24, 25, 30, 31, 32, 39],
  ...[166, 167, 168, 169, 170, 171],
]);

/** The file was not closed. Nobody's checksum covers it. */
const IN_USE = 0x01;
const FLAGS_AT = 17;

export interface BinlogEvent {
  readonly type: number;
  /** Seconds since 1970: when the statement began. */
  readonly timestamp: number;
  readonly serverId: number;
  /**
   * Where it ends in its file, modulo 2^32. 0: it lies in no file, or it was written before its place was known, as MariaDB has
   * it from version 11.4 on for what lies between the beginning of a transaction and its end.
   */
  readonly end: number;
  readonly bytes: Buffer;
  /** Behind the header, without the checksum. */
  readonly body: Buffer;
}

/** What a server tells about its files to whoever reads them; without an end it lies in none. */
const TOLD: ReadonlySet<number> = new Set([
  ...[EVENT.rotate, EVENT.mysqlPreviousGtids, EVENT.checkpoint, EVENT.gtidList, EVENT.startEncryption],
]);

/** Whether the event lies in no file: the server made it for us. */
export function isMadeForReader({ type, end }: BinlogEvent): boolean {
  return type === EVENT.heartbeat || type === EVENT.heartbeat2 || (end === 0 && TOLD.has(type));
}

export function sizeIn(header: Buffer): number {
  return header.readUInt32LE(9);
}

/** @param isChecksummed whether its last four bytes are a checksum */
export function parseEvent(bytes: Buffer, isChecksummed: boolean): BinlogEvent {
  return {
    timestamp: bytes.readUInt32LE(0),
    type: bytes.readUInt8(4),
    serverId: bytes.readUInt32LE(5),
    end: bytes.readUInt32LE(13),
    bytes,
    body: bytes.subarray(HEADER_BYTES, bytes.length - (isChecksummed ? CHECKSUM_BYTES : 0)),
  };
}

export function isRows({ type }: BinlogEvent): boolean {
  return ROWS.has(type);
}

/** A copy of a format event as it is in a file that was closed. */
export function closedFormat(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt16LE(copy.readUInt16LE(FLAGS_AT) & ~IN_USE, FLAGS_AT);
  return copy;
}

/** Whether the bytes are those that the server wrote. */
export function hasGoodChecksum(bytes: Buffer): boolean {
  const at = bytes.length - CHECKSUM_BYTES;
  return crc32(bytes.subarray(0, at)) === bytes.readUInt32LE(at);
}

/** A format event tells by its second last field whether the events of its file have checksums. */
export function formatTellsChecksums(bytes: Buffer): boolean {
  return bytes.readUInt8(bytes.length - CHECKSUM_BYTES - 1) === 1;
}

/** The file that a rotate event names. */
export function rotatesTo({ body }: BinlogEvent): string {
  return body.toString('utf8', 8);
}

export interface QueryText {
  /** That was in use; empty: none. */
  readonly database: string;
  readonly sql: string;
}

/** A statement, compressed or not. */
export function parseQuery({ type, body }: BinlogEvent): QueryText {
  const databaseLength = body.readUInt8(8);
  const variablesLength = body.readUInt16LE(11);
  // A file that is loaded has its own fields behind those of every statement.
  const start = (type === EVENT.executeLoadQuery ? 26 : 13) + variablesLength;
  const database = body.toString('utf8', start, start + databaseLength);
  const text = body.subarray(start + databaseLength + 1);
  return { database, sql: (type === EVENT.compressedQuery ? inflated(text) : text).toString('utf8') };
}

/** A length in as many bytes as the first one tells, then what zlib made of the text. */
function inflated(text: Buffer): Buffer {
  const lengthBytes = text.readUInt8(0) & 0x07;
  return inflateSync(text.subarray(1 + lengthBytes));
}

export function isQuery({ type }: BinlogEvent): boolean {
  return type === EVENT.query || type === EVENT.compressedQuery || type === EVENT.executeLoadQuery;
}

/** The table that a map is of, and the number by which events with rows mean it. */
export function parseTableMap({ body }: BinlogEvent): {
  readonly id: number;
  readonly database: string;
  readonly table: string;
} {
  const databaseLength = body.readUInt8(8);
  const database = body.toString('utf8', 9, 9 + databaseLength);
  const at = 9 + databaseLength + 1;
  return { id: body.readUIntLE(0, 6), database, table: body.toString('utf8', at + 1, at + 1 + body.readUInt8(at)) };
}

export function tableOfRows({ body }: BinlogEvent): number {
  return body.readUIntLE(0, 6);
}

const LAST_OF_STATEMENT = 0x01;

/** Whether the statement ends with these rows. */
export function endsStatement({ body }: BinlogEvent): boolean {
  return (body.readUInt16LE(6) & LAST_OF_STATEMENT) !== 0;
}

/** The same rows as the last ones of their statement. */
export function withStatementEnd(event: BinlogEvent, isChecksummed: boolean): BinlogEvent {
  const bytes = Buffer.from(event.bytes);
  const at = HEADER_BYTES + 6;
  bytes.writeUInt16LE(bytes.readUInt16LE(at) | LAST_OF_STATEMENT, at);
  if (isChecksummed) bytes.writeUInt32LE(crc32(bytes.subarray(0, -CHECKSUM_BYTES)), bytes.length - CHECKSUM_BYTES);
  return parseEvent(bytes, isChecksummed);
}
