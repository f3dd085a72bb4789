/** Files as an xbstream, which `mbstream` takes apart. */
import { crc32 } from 'node:zlib';
import { encodeName } from '../../../domain/name.ts';
import { END, HEAD_BYTES, MAGIC, PAYLOAD, PAYLOAD_HEAD_BYTES } from './xbstream.ts';

/** Of a payload, about: it takes a header, and whoever unpacks holds one in memory. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * One file, from its first chunk to its last.
 * @param path relative, in the string form of `name.ts`
 */
export async function* xbFile(path: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let [offset, bytes] = [0, 0];
  let pieces: Uint8Array[] = [];
  for await (const piece of content) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes < CHUNK_BYTES) continue;
    yield* payload(path, pieces, bytes, offset);
    offset += bytes;
    [pieces, bytes] = [[], 0];
  }
  if (bytes > 0) yield* payload(path, pieces, bytes, offset);
  yield head(path, END);
}

function* payload(path: string, pieces: readonly Uint8Array[], bytes: number, offset: number): Generator<Uint8Array> {
  const about = Buffer.alloc(PAYLOAD_HEAD_BYTES);
  about.writeBigUInt64LE(BigInt(bytes), 0);
  about.writeBigUInt64LE(BigInt(offset), 8);
  about.writeUInt32LE(
    pieces.reduce((sum, piece) => crc32(piece, sum), 0),
    16,
  );
  yield Buffer.concat([head(path, PAYLOAD), about]);
  yield* pieces;
}

function head(path: string, kind: number): Buffer {
  const name = encodeName(path);
  const start = Buffer.alloc(HEAD_BYTES);
  start.writeUInt8(kind, 1);
  start.writeUInt32LE(name.length, 2);
  return Buffer.concat([Buffer.from(MAGIC, 'latin1'), start, name]);
}
