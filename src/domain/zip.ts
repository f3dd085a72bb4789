/**
 * The records of a zip archive that is written in one go: sizes and check sums follow the content. Names keep their
 * bytes; those that are UTF-8 are marked as such. Beyond 4 GiB, and beyond 65535 entries, with the fields of zip64.
 */
import { encodeName, isText } from './name.ts';
import type { Timestamp } from './timestamp.ts';

export interface ZipEntry {
  /** Relative; of a directory without a slash at its end. In the string form of `name.ts`. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** Bytes of content, uncompressed. */
  readonly size: number;
  /** 0o0000 … 0o7777 */
  readonly mode: number;
  readonly mtime?: Timestamp;
}

/** What is known of an entry once it is written. */
export interface ZipContent {
  /** Bytes in the archive. */
  readonly packed: number;
  /** CRC-32 of the content. */
  readonly checksum: number;
}

const TYPE_BITS = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;
/** How content is stored: files deflated, the rest as it is. */
const METHODS = { file: 8, directory: 0, symlink: 0 } as const;
const UNIX = 3 << 8;
const VERSION = 20;
const VERSION_64 = 45;
const SIZES_FOLLOW = 1 << 3;
const NAME_IS_UTF8 = 1 << 11;
const DIRECTORY_ATTRIBUTE = 0x10;
const MAX_16 = 0xffff;
const MAX_32 = 0xffff_ffff;
/** Deflate can make content a little larger; above this a file is described in 64 bits. */
const LARGE = MAX_32 - 2 ** 24;
const EARLIEST_YEAR = 1980;
const LATEST_YEAR = 2107;

/** What stands before an entry's content. */
export function zipHeader(entry: ZipEntry): Uint8Array {
  const name = nameOf(entry);
  const large = isLarge(entry);
  const extra = joined([...(large ? [extraField(0x0001, [u64(0), u64(0)])] : []), timeField(entry)]);
  const unknown = u32(large ? MAX_32 : 0);
  return joined([
    u32(0x04034b50),
    ...shared(entry, large),
    u32(0),
    unknown,
    unknown,
    u16(name.length),
    u16(extra.length),
    name,
    extra,
  ]);
}

/** What stands behind an entry's content. */
export function zipDescriptor(entry: ZipEntry, { packed, checksum }: ZipContent): Uint8Array {
  const size = isLarge(entry) ? u64 : u32;
  return joined([u32(0x08074b50), u32(checksum), size(packed), size(entry.size)]);
}

/** What the directory at the archive's end tells of an entry. @param offset of its header */
export function zipDirectoryRecord(entry: ZipEntry, { packed, checksum }: ZipContent, offset: number): Uint8Array {
  const name = nameOf(entry);
  const long = [entry.size, packed, offset].filter((value) => value >= MAX_32);
  const large = isLarge(entry) || long.length > 0;
  const extra = joined([...(long.length > 0 ? [extraField(0x0001, long.map(u64))] : []), timeField(entry)]);
  const mode = TYPE_BITS[entry.type] | entry.mode;
  const attributes = mode * 0x10000 + (entry.type === 'directory' ? DIRECTORY_ATTRIBUTE : 0);
  return joined([
    u32(0x02014b50),
    u16(UNIX | (large ? VERSION_64 : VERSION)),
    ...shared(entry, large),
    u32(checksum),
    u32(Math.min(packed, MAX_32)),
    u32(Math.min(entry.size, MAX_32)),
    u16(name.length),
    u16(extra.length),
    // Comment, disk, internal attributes.
    u16(0),
    u16(0),
    u16(0),
    u32(attributes),
    u32(Math.min(offset, MAX_32)),
    name,
    extra,
  ]);
}

/**
 * What ends an archive, behind its directory.
 * @param offset where the directory starts
 * @param size of the directory in bytes
 */
export function zipEnd(entries: number, offset: number, size: number): Uint8Array {
  const end = joined([
    u32(0x06054b50),
    u32(0),
    u16(Math.min(entries, MAX_16)),
    u16(Math.min(entries, MAX_16)),
    u32(Math.min(size, MAX_32)),
    u32(Math.min(offset, MAX_32)),
    u16(0),
  ]);
  if (entries < MAX_16 && offset < MAX_32 && size < MAX_32) return end;
  const end64 = [
    u16(UNIX | VERSION_64),
    u16(VERSION_64),
    u32(0),
    u32(0),
    u64(entries),
    u64(entries),
    u64(size),
    u64(offset),
  ];
  const locator = [u32(0x07064b50), u32(0), u64(offset + size), u32(1)];
  return joined([u32(0x06064b50), u64(joined(end64).length), ...end64, ...locator, end]);
}

/** Whether its sizes may not fit into 32 bits, as far as is known before it is written. */
function isLarge({ size }: ZipEntry): boolean {
  return size > LARGE;
}

/** The fields that header and directory have in common. */
function shared(entry: ZipEntry, large: boolean): Uint8Array[] {
  const flags = isMarkedText(entry.path) ? SIZES_FOLLOW | NAME_IS_UTF8 : SIZES_FOLLOW;
  return [u16(large ? VERSION_64 : VERSION), u16(flags), u16(METHODS[entry.type]), ...dosTime(entry.mtime)];
}

function nameOf({ path, type }: ZipEntry): Uint8Array {
  return encodeName(type === 'directory' ? `${path}/` : path);
}

/** Bytes that are not UTF-8 must not be said to be. */
function isMarkedText(path: string): boolean {
  return isText(path) && encodeName(path).some((byte) => byte >= 0x80);
}

/** Time and date in the local zone, in steps of two seconds, from 1980 on. */
function dosTime(time: Timestamp | undefined): [Uint8Array, Uint8Array] {
  const local = new Date((time?.seconds ?? 0) * 1000);
  const year = local.getFullYear();
  if (year < EARLIEST_YEAR || year > LATEST_YEAR || Number.isNaN(year)) return [u16(0), u16((1 << 5) | 1)];
  const clock = (local.getHours() << 11) | (local.getMinutes() << 5) | (local.getSeconds() >> 1);
  return [u16(clock), u16(((year - EARLIEST_YEAR) << 9) | ((local.getMonth() + 1) << 5) | local.getDate())];
}

/** The time in seconds since 1970, where it fits. */
function timeField({ mtime }: ZipEntry): Uint8Array {
  if (mtime === undefined || Math.abs(mtime.seconds) > 0x7fff_ffff) return new Uint8Array();
  return extraField(0x5455, [Uint8Array.of(1), u32(mtime.seconds >>> 0)]);
}

function extraField(kind: number, parts: readonly Uint8Array[]): Uint8Array {
  const content = joined(parts);
  return joined([u16(kind), u16(content.length), content]);
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff);
}

function u64(value: number): Uint8Array {
  return joined([u32(value % 2 ** 32), u32(Math.floor(value / 2 ** 32))]);
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
