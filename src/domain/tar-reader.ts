/**
 * Tar archives as engines and servers send them: ustar with the records of POSIX.1-2001 (pax). Strict, since an archive
 * that is cut short must never pass for a whole one, and with names as their bytes are, UTF-8 or not.
 */
import { ByteReader, TruncatedStream } from './byte-reader.ts';
import { decodeName } from './name.ts';

const BLOCK = 512;
/** More than any record needs: the largest are extended attributes, of 64 KiB at most. */
const MAX_RECORDS = 16 * 1024 * 1024;

/** One member of an archive. */
export interface TarMember {
  readonly kind: 'file' | 'directory' | 'symlink' | 'hard-link' | 'fifo' | 'device';
  /** Relative, without `./` and trailing slashes, in the string form of `name.ts`; the archive's own top is empty. */
  readonly name: string;
  /** Of links. A hard link's is a name in the archive. */
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, with a fraction where the archive tells one. */
  readonly mtime: number;
  /** 0 for all but files. */
  readonly size: number;
  /** To be read before the next member is asked for; what is left of it is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Makes the error for what is wrong with an archive: `it ends without a trailer`. */
export type Broken = (what: string) => Error;
type About = Omit<TarMember, 'content'>;
type Records = ReadonlyMap<string, Buffer>;

/**
 * Members in the archive's order. Ends normally only at the trailer of two empty blocks; throws what `broken` makes for
 * an archive that is cut short, malformed or followed by something else.
 */
export async function* readTarMembers(bytes: AsyncIterable<Uint8Array>, broken: Broken): AsyncGenerator<TarMember> {
  const reader = new ByteReader(bytes);
  try {
    yield* membersOf(reader, broken);
  } finally {
    await reader.close();
  }
}

async function* membersOf(reader: ByteReader, broken: Broken): AsyncGenerator<TarMember> {
  let records: Records = new Map();
  for (;;) {
    const header = await nextBlock(reader, broken);
    if (header === undefined) throw broken('it ends without a trailer');
    if (isEmpty(header)) {
      if (records.size > 0) throw broken('it ends where a member should follow');
      await expectEnd(reader, broken);
      return;
    }
    if (readNumber(header, 148, 8) !== checksum(header)) throw broken('a header has the wrong checksum');
    const type = String.fromCharCode(header.readUInt8(156));
    if (type === 'x') {
      records = await readRecords(reader, readNumber(header, 124, 12), broken);
      continue;
    }
    const about = parseMember(header, type, records, broken);
    records = new Map();
    const rest = { bytes: about.size };
    yield { ...about, content: take(reader, rest, about.name, broken) };
    rest.bytes += paddingOf(about.size);
    await drain(take(reader, rest, about.name, broken));
  }
}

/** Undefined at the end of the stream. */
async function nextBlock(reader: ByteReader, broken: Broken): Promise<Buffer | undefined> {
  try {
    return await reader.exactly(BLOCK);
  } catch (error) {
    throw error instanceof TruncatedStream ? broken('it ends within a block') : error;
  }
}

async function expectEnd(reader: ByteReader, broken: Broken): Promise<void> {
  const second = await nextBlock(reader, broken);
  if (second === undefined || !isEmpty(second)) throw broken('its trailer is cut short');
  for (;;) {
    const more = await reader.upTo(BLOCK);
    if (more.length === 0) return;
    if (!isEmpty(more)) throw broken('something follows its trailer');
  }
}

/** The next bytes of the archive; `rest` tells how many of them are still to come, whoever reads them. */
async function* take(
  reader: ByteReader,
  rest: { bytes: number },
  name: string,
  broken: Broken,
): AsyncGenerator<Uint8Array> {
  while (rest.bytes > 0) {
    const piece = await reader.upTo(rest.bytes);
    if (piece.length === 0) throw broken(`${name} ends ${String(rest.bytes)} bytes early`);
    rest.bytes -= piece.length;
    yield piece;
  }
}

async function drain(pieces: AsyncGenerator<Uint8Array>): Promise<void> {
  while ((await pieces.next()).done !== true);
}

/** What a pax header says of the member behind it: `LENGTH key=value\n`, where the length counts itself. */
async function readRecords(reader: ByteReader, size: number, broken: Broken): Promise<Records> {
  if (!(size <= MAX_RECORDS)) throw broken('the records of a member are too long');
  const content = Buffer.alloc(size);
  let filled = 0;
  for await (const piece of take(reader, { bytes: size }, 'a header', broken)) {
    content.set(piece, filled);
    filled += piece.length;
  }
  await drain(take(reader, { bytes: paddingOf(size) }, 'a header', broken));
  const records = new Map<string, Buffer>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(' ', at);
    const end = at + Number(content.toString('latin1', at, space));
    const equals = content.indexOf('=', space);
    const whole = space > at && equals > space && end > equals && end <= content.length && content[end - 1] === 0x0a;
    if (!whole) throw broken('a record is malformed');
    records.set(content.toString('utf8', space + 1, equals), content.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

const KINDS: Readonly<Record<string, TarMember['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '1': 'hard-link',
  '2': 'symlink',
  '3': 'device',
  '4': 'device',
  '5': 'directory',
  '6': 'fifo',
};

function parseMember(header: Buffer, type: string, records: Records, broken: Broken): About {
  const path = nameRecord(records, 'path') ?? pathOf(header);
  const name = trimmed(path);
  const kind = KINDS[type];
  if (kind === undefined) throw broken(`${name} is of the unknown type ${JSON.stringify(type)}`);
  if (!isInside(name)) throw broken(`the name ${JSON.stringify(path)} leads out of the archive`);
  const target = nameRecord(records, 'linkpath') ?? text(header, 157, 100);
  const number = (key: string, at: number, length: number): number => {
    const value = numberRecord(records, key) ?? readNumber(header, at, length);
    if (Number.isFinite(value)) return value;
    throw broken(`the ${key} of ${name} is no number`);
  };
  const size = number('size', 124, 12);
  if (!Number.isSafeInteger(size) || size < 0) throw broken(`the size of ${name} makes no sense`);
  return {
    kind,
    name,
    target: kind === 'hard-link' ? trimmed(target) : target,
    mode: readNumber(header, 100, 8) & 0o7777,
    uid: number('uid', 108, 8),
    gid: number('gid', 116, 8),
    mtime: number('mtime', 136, 12),
    size: kind === 'file' ? size : 0,
  };
}

function nameRecord(records: Records, key: string): string | undefined {
  const bytes = records.get(key);
  return bytes && decodeName(bytes);
}

function numberRecord(records: Records, key: string): number | undefined {
  const said = records.get(key)?.toString('latin1');
  if (said === undefined || said === '') return undefined;
  return /^-?\d+(\.\d*)?$/.test(said) ? Number(said) : Number.NaN;
}

function pathOf(header: Buffer): string {
  const prefix = text(header, 345, 155);
  return prefix === '' ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`;
}

function trimmed(path: string): string {
  return path.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
}

/** Octal digits, or GNU's base 256 for what does not fit. */
function readNumber(header: Buffer, at: number, length: number): number {
  if ((header.readUInt8(at) & 0x80) === 0) return Number.parseInt(text(header, at, length).trim() || '0', 8);
  let value = header.readUInt8(at) & 0x7f;
  for (let i = at + 1; i < at + length; i++) value = value * 256 + header.readUInt8(i);
  return value;
}

function text(header: Buffer, at: number, length: number): string {
  const end = header.indexOf(0, at);
  return decodeName(header.subarray(at, end < 0 || end > at + length ? at + length : end));
}

/** Sum of the header's bytes with its checksum field read as spaces. */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : header.readUInt8(i);
  return sum;
}

function isEmpty(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** The archive's own top directory has an empty name. */
function isInside(name: string): boolean {
  return !name.startsWith('/') && name.split('/').every((part) => part !== '..' && part !== '.');
}
