import { RespaldoError } from '../../errors.ts';
import { Crc64 } from './crc64.ts';

/** What the beginning of an RDB tells. */
export interface RdbHeader {
  /** Of the format: 10 for Redis 7.0. */
  readonly version: number;
  /** `redis-ver`, `ctime`, `repl-id`, `repl-offset` … */
  readonly fields: ReadonlyMap<string, string>;
}

/** What its end tells. */
export interface RdbEnd {
  readonly bytes: number;
  /** Whether the server has put a checksum there, which was right; it writes zeros where it is configured so. */
  readonly checksum: boolean;
}

const MAGIC = /^REDIS(\d{4})$/;
const MAGIC_BYTES = 9;
/** Behind which fields come, and what the last byte before the checksum is. */
const FIELD = 0xfa;
const END = 0xff;
const SUM_BYTES = 8;
/** What a transfer without a length ends with, and `redis-cli --rdb -` leaves behind the RDB. */
const MARK_BYTES = 40;
/** More than the fields of a header ever take. */
const HEADER_BYTES = 4096;

export interface RdbObserver {
  /** Called once, as soon as so much has come. */
  readonly onHeader?: (header: RdbHeader) => void;
  readonly onEnd?: (end: RdbEnd) => void;
}

/**
 * Passes an RDB on, and ends normally only if it was one from its first byte to its last: the magic, the end, and the
 * checksum over all between.
 * @param who sent it, for messages
 * @param marked whether the mark of a transfer may follow, which is not passed on
 * @throws RespaldoError `source-lost`
 */
export async function* checkedRdb(
  pieces: AsyncIterable<Uint8Array>,
  who: string,
  { onHeader, onEnd }: RdbObserver = {},
  marked = false,
): AsyncGenerator<Uint8Array> {
  const heldBack = END_BYTES + (marked ? MARK_BYTES : 0);
  const sum = new Crc64();
  let bytes = 0;
  let held = Buffer.alloc(0);
  let isBegun = false;
  for await (const piece of pieces) {
    held = Buffer.concat([held, piece]);
    if (!isBegun && held.length < HEADER_BYTES) continue;
    if (!isBegun) onHeader?.(readHeader(held, who));
    isBegun = true;
    const passed = held.subarray(0, Math.max(held.length - heldBack, 0));
    held = held.subarray(passed.length);
    sum.update(passed);
    bytes += passed.length;
    yield passed;
  }
  if (!isBegun) onHeader?.(readHeader(held, who));
  // What is small was held back as a whole.
  const early = held.subarray(0, Math.max(held.length - heldBack, 0));
  sum.update(early);
  const rest = held.subarray(early.length);
  const end = [rest.length, rest.length - MARK_BYTES].find((at) => (marked || at === rest.length) && isEnd(rest, at));
  if (end === undefined) throw cut(who, 'it does not end as one does');
  sum.update(rest.subarray(0, end - SUM_BYTES));
  const told = rest.subarray(end - SUM_BYTES, end);
  const checksum = told.some((byte) => byte !== 0);
  if (checksum && !told.equals(sum.digest())) throw cut(who, 'its checksum is wrong');
  yield Buffer.concat([early, rest.subarray(0, end)]);
  onEnd?.({ bytes: bytes + early.length + end, checksum });
}

const END_BYTES = SUM_BYTES + 1;

/** Whether an RDB may end before `at`; with a mark behind it, that has to look like one. */
function isEnd(rest: Buffer, at: number): boolean {
  if (at < END_BYTES || rest[at - END_BYTES] !== END) return false;
  return at === rest.length || /^[0-9a-f]{40}$/.test(rest.toString('latin1', at));
}

/** @throws RespaldoError `source-lost` for what is no RDB */
function readHeader(bytes: Buffer, who: string): RdbHeader {
  const [, version] = MAGIC.exec(bytes.toString('latin1', 0, MAGIC_BYTES)) ?? [];
  if (version === undefined)
    throw cut(who, bytes.length === 0 ? 'there is nothing in it' : 'it does not begin as one does');
  const fields = new Map<string, string>();
  let at = MAGIC_BYTES;
  while (bytes[at] === FIELD) {
    const name = readString(bytes, at + 1);
    const value = name && readString(bytes, name.end);
    if (value === undefined || name === undefined) break;
    fields.set(name.text, value.text);
    at = value.end;
  }
  return { version: Number(version), fields };
}

/** A short string, or a number that is written as one. */
function readString(bytes: Buffer, at: number): { readonly text: string; readonly end: number } | undefined {
  const first = bytes[at] ?? END;
  if (first < 0x40) return { text: bytes.toString('utf8', at + 1, at + 1 + first), end: at + 1 + first };
  const width = { 0xc0: 1, 0xc1: 2, 0xc2: 4 }[first];
  if (width === undefined || at + 1 + width > bytes.length) return undefined;
  return { text: String(bytes.readIntLE(at + 1, width)), end: at + 1 + width };
}

function cut(who: string, how: string): RespaldoError {
  return new RespaldoError('source-lost', `what ${who} sent is no whole RDB: ${how}`, {
    hint: 'Nothing was stored as a snapshot. Run the backup again; the server’s log may tell why it stopped sending.',
  });
}
