import { TruncatedStream, type ByteReader } from '../domain/byte-reader.ts';
import {
  BLOCK_HEADER,
  blockOf,
  checksumLength,
  CUT,
  damaged,
  FOREIGN,
  headerRest,
  isFrame,
  isSkippable,
} from './zstd-frames.ts';

/**
 * The next frame of a Zstandard stream, piece by piece and to its end (RFC 8878, section 3.1). Frames to be skipped are.
 * @returns undefined: there is none any more.
 * @throws RespaldoError `source-damaged` for what is no such stream; so do the pieces, also where it is cut short.
 */
export async function zstdFramePieces(reader: ByteReader): Promise<AsyncGenerator<Uint8Array> | undefined> {
  for (;;) {
    const magic = await whole(reader.exactly(4));
    if (magic === undefined) return undefined;
    const number = magic.readUInt32LE(0);
    if (isFrame(number)) return pieces(reader, magic);
    if (!isSkippable(number)) throw damaged(FOREIGN);
    const length = await some(reader, 4);
    for await (const _piece of stretch(reader, length.readUInt32LE(0))) continue;
  }
}

async function* pieces(reader: ByteReader, magic: Buffer): AsyncGenerator<Uint8Array> {
  const flags = await some(reader, 1);
  const descriptor = flags[0] ?? 0;
  yield Buffer.concat([magic, flags]);
  yield* stretch(reader, headerRest(descriptor));
  for (let isLast = false; !isLast;) {
    const header = await some(reader, BLOCK_HEADER);
    const block = blockOf(header.readUIntLE(0, BLOCK_HEADER));
    yield Buffer.from(header);
    yield* stretch(reader, block.length);
    ({ isLast } = block);
  }
  yield* stretch(reader, checksumLength(descriptor));
}

async function* stretch(reader: ByteReader, length: number): AsyncGenerator<Uint8Array> {
  for (let left = length; left > 0;) {
    const piece = await reader.upTo(left);
    if (piece.length === 0) throw damaged(CUT);
    yield piece;
    left -= piece.length;
  }
}

async function some(reader: ByteReader, length: number): Promise<Buffer> {
  const bytes = await whole(reader.exactly(length));
  if (bytes === undefined) throw damaged(CUT);
  return bytes;
}

async function whole(bytes: Promise<Buffer | undefined>): Promise<Buffer | undefined> {
  try {
    return await bytes;
  } catch (error) {
    throw error instanceof TruncatedStream ? damaged(CUT) : error;
  }
}
