import { decodeName } from '../../domain/name.ts';
import { RespaldoError } from '../../errors.ts';
import { ByteReader } from './wire/byte-reader.ts';

const BLOCK = 512;

/** One member of a tar archive as PostgreSQL writes it (ustar, no extensions). */
export interface TarMember {
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Relative, without `./` and trailing slashes. */
  readonly name: string;
  /** Only for symlinks. */
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly size: number;
  /** To be read before the next member is asked for; what is left of it is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * Members in the archive's order. Ends normally only at the trailer of two empty blocks.
 * @throws RespaldoError `source-lost` for an archive that is cut short, malformed or followed by something else.
 */
export async function* readTar(bytes: AsyncIterable<Uint8Array>, archive: string): AsyncGenerator<TarMember> {
  const reader = new ByteReader(bytes);
  for (;;) {
    const header = await reader.exactly(BLOCK);
    if (header === undefined) throw broken(archive, 'it ends without a trailer');
    if (isEmpty(header)) {
      await expectEnd(reader, archive);
      return;
    }
    const about = parseHeader(header, archive);
    const padding = (BLOCK - (about.size % BLOCK)) % BLOCK;
    const rest = { bytes: about.size };
    yield { ...about, content: take(reader, rest, `${archive}: ${about.name}`) };
    rest.bytes += padding;
    await drain(take(reader, rest, archive));
  }
}

async function expectEnd(reader: ByteReader, archive: string): Promise<void> {
  const second = await reader.exactly(BLOCK);
  if (second === undefined || !isEmpty(second)) throw broken(archive, 'its trailer is cut short');
  for (;;) {
    const more = await reader.upTo(BLOCK);
    if (more.length === 0) return;
    if (!isEmpty(more)) throw broken(archive, 'something follows its trailer');
  }
}

/** The next bytes of the archive; `rest` tells how many of them are still to come, whoever reads them. */
async function* take(reader: ByteReader, rest: { bytes: number }, where: string): AsyncGenerator<Uint8Array> {
  while (rest.bytes > 0) {
    const piece = await reader.upTo(rest.bytes);
    if (piece.length === 0) throw broken(where, `it ends ${String(rest.bytes)} bytes early`);
    rest.bytes -= piece.length;
    yield piece;
  }
}

async function drain(pieces: AsyncGenerator<Uint8Array>): Promise<void> {
  while ((await pieces.next()).done !== true);
}

const KINDS: Readonly<Record<string, TarMember['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '2': 'symlink',
  '5': 'directory',
};

function parseHeader(header: Buffer, archive: string): Omit<TarMember, 'content'> {
  if (readNumber(header, 148, 8) !== checksum(header)) throw broken(archive, 'a header has the wrong checksum');
  const prefix = text(header, 345, 155);
  const path = prefix === '' ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`;
  const name = path.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  const type = String.fromCharCode(header.readUInt8(156));
  const kind = KINDS[type];
  if (kind === undefined) throw broken(archive, `${name} is of the unknown type ${JSON.stringify(type)}`);
  if (!isInside(name)) throw broken(archive, `the name ${JSON.stringify(path)} leads out of the archive`);
  return {
    kind,
    name,
    target: text(header, 157, 100),
    mode: readNumber(header, 100, 8) & 0o7777,
    uid: readNumber(header, 108, 8),
    gid: readNumber(header, 116, 8),
    mtime: readNumber(header, 136, 12),
    size: kind === 'file' ? readNumber(header, 124, 12) : 0,
  };
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

/** The archive's own top directory has an empty name. */
function isInside(name: string): boolean {
  return !name.startsWith('/') && name.split('/').every((part) => part !== '..' && part !== '.');
}

function broken(archive: string, what: string): RespaldoError {
  return new RespaldoError('source-lost', `the base backup’s archive ${archive} is broken: ${what}`, {
    hint: 'Nothing was stored as a snapshot. Run the backup again.',
  });
}
