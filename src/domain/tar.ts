/**
 * The headers of a tar archive, as POSIX.1-2001 (pax) has them: whatever does not fit into the old fields (long names,
 * fractions of seconds, large numbers, extended attributes) goes before them as records. Names keep their bytes, also
 * where they are not UTF-8.
 */
import { encodeName } from './name.ts';
import type { Timestamp } from './timestamp.ts';

export interface TarEntry {
  /** Relative; of a directory without a slash at its end. In the string form of `name.ts`. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'hard-link';
  /** Bytes of content that follow; 0 for all but files. */
  readonly size: number;
  /** 0o0000 … 0o7777 */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
  readonly mtime?: Timestamp;
  readonly atime?: Timestamp;
  readonly ctime?: Timestamp;
  /** Of a link. */
  readonly target?: string;
  readonly attributes?: readonly { readonly name: string; readonly value: Uint8Array }[];
}

const BLOCK = 512;
const TYPE_FLAGS = { file: '0', 'hard-link': '1', symlink: '2', directory: '5' } as const;
const PAX_FLAG = 'x';
const NAME_BYTES = 100;
const OWNER_BYTES = 32;
const MAX_ID = 0o7777777;
const MAX_NUMBER = 0o77777777777;

const encoder = new TextEncoder();

/** What stands before the entry's content. */
export function tarHeader(entry: TarEntry): Uint8Array {
  const path = encodeName(entry.type === 'directory' ? `${entry.path}/` : entry.path);
  const target = encodeName(entry.target ?? '');
  const records = recordsOf(entry, path, target);
  const main = header(path, target, entry, TYPE_FLAGS[entry.type], entry.size);
  if (records.length === 0) return main;
  const name = joined([encoder.encode('PaxHeaders/'), path]);
  const plain = { mode: 0o644, uid: 0, gid: 0 };
  const pax = header(name, new Uint8Array(), plain, PAX_FLAG, records.length);
  return joined([pax, records, tarPadding(records.length), main]);
}

/** What stands behind content of this size. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

/** What ends an archive. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK);
}

function recordsOf(entry: TarEntry, path: Uint8Array, target: Uint8Array): Uint8Array {
  const { size, uid, gid, user = '', group = '', mtime, atime, ctime, attributes = [] } = entry;
  const records: Uint8Array[] = [];
  const add = (key: string, value: string | Uint8Array, needed = true): void => {
    if (needed) records.push(record(key, value));
  };
  add('path', path, path.length > NAME_BYTES || !isAscii(path));
  add('linkpath', target, target.length > NAME_BYTES || !isAscii(target));
  add('size', String(size), size > MAX_NUMBER);
  add('uid', String(uid), uid > MAX_ID);
  add('gid', String(gid), gid > MAX_ID);
  add('uname', user, !fitsOwner(user));
  add('gname', group, !fitsOwner(group));
  if (mtime) add('mtime', seconds(mtime), mtime.nanoseconds !== 0 || numberField(mtime.seconds) !== mtime.seconds);
  if (atime) add('atime', seconds(atime));
  if (ctime) add('ctime', seconds(ctime));
  for (const { name, value } of attributes) add(`SCHILY.xattr.${name}`, value, !name.includes('='));
  return joined(records);
}

/** `LENGTH key=value\n`, where the length counts itself. */
function record(key: string, value: string | Uint8Array): Uint8Array {
  const rest = joined([
    encoder.encode(` ${key}=`),
    typeof value === 'string' ? encoder.encode(value) : value,
    encoder.encode('\n'),
  ]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return joined([encoder.encode(String(length)), rest]);
}

function header(
  path: Uint8Array,
  target: Uint8Array,
  { mode, uid, gid, user = '', group = '', mtime }: Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'user' | 'group' | 'mtime'>,
  flag: string,
  size: number,
): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const octal = (value: number, digits: number): Uint8Array => encoder.encode(value.toString(8).padStart(digits, '0'));
  block.set(path.subarray(0, NAME_BYTES), 0);
  block.set(octal(mode, 7), 100);
  block.set(octal(uid > MAX_ID ? 0 : uid, 7), 108);
  block.set(octal(gid > MAX_ID ? 0 : gid, 7), 116);
  block.set(octal(numberField(size), 11), 124);
  block.set(octal(numberField(mtime?.seconds ?? 0), 11), 136);
  block.set(encoder.encode(flag), 156);
  block.set(target.subarray(0, NAME_BYTES), 157);
  block.set(encoder.encode('ustar\u000000'), 257);
  if (fitsOwner(user)) block.set(encoder.encode(user), 265);
  if (fitsOwner(group)) block.set(encoder.encode(group), 297);
  // The sum is made with spaces in its own place.
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(encoder.encode(`${sum.toString(8).padStart(6, '0')}\u0000 `), 148);
  return block;
}

/** The number as the old field can hold it: 0 where it cannot. */
function numberField(value: number): number {
  return value < 0 || value > MAX_NUMBER ? 0 : value;
}

function fitsOwner(name: string): boolean {
  return name.length < OWNER_BYTES && isAscii(encoder.encode(name));
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80);
}

/** Decimal seconds with their fraction; before 1970 the sign is that of the whole. */
function seconds({ seconds: whole, nanoseconds }: Timestamp): string {
  const total = BigInt(whole) * 1_000_000_000n + BigInt(nanoseconds);
  const digits = String(total < 0n ? -total : total).padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return `${total < 0n ? '-' : ''}${digits.slice(0, -9)}${fraction === '' ? '' : `.${fraction}`}`;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
