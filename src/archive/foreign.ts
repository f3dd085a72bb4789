/** What other programs have compressed. */
import { pipeline, Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import type { CompressionName } from '../domain/archive.ts';
import { ByteReader } from '../domain/byte-reader.ts';
import { asDamage, decompressed } from './compression.ts';
import { isFrame, isSkippable } from './zstd-frames.ts';
import { zstdFramePieces } from './zstd-pieces.ts';

const MIB = 1024 * 1024;

const XZ_MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);

/** @param head the beginning of a file, 16 bytes at least if it has as many */
export function compressionOf(head: Buffer): CompressionName {
  if (head.length > 1 && head.readUInt16BE(0) === 0x1f8b) return 'gzip';
  if (/^BZh[1-9](?:1AY&SY|\x17rE8P\x90)/.test(head.toString('latin1'))) return 'bzip2';
  if (head.subarray(0, XZ_MAGIC.length).equals(XZ_MAGIC)) return 'xz';
  const magic = head.length > 3 ? head.readUInt32LE(0) : 0;
  // pzstd begins with what is to be skipped.
  return isFrame(magic) || isSkippable(magic) ? 'zstd' : 'none';
}

/**
 * The plain content. Other than in archives a frame of Zstandard may be of any size.
 * @throws RespaldoError `source-damaged`, also where it is cut short, `tool-missing`
 */
export function foreignContent(
  content: AsyncIterable<Uint8Array>,
  name: CompressionName,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  return name === 'zstd' ? unzstd(content) : decompressed(content, name, signal);
}

/** Node's decompressor stops after the first frame, and says nothing of the others. */
async function* unzstd(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(content);
  try {
    for (;;) {
      const frame = await zstdFramePieces(reader);
      if (frame === undefined) return;
      const plain = createZstdDecompress({ chunkSize: MIB });
      yield* pipeline(Readable.from(frame, { objectMode: false }), plain, () => undefined) as AsyncIterable<Buffer>;
    }
  } catch (error) {
    throw asDamage(error, 'zstd');
  } finally {
    await reader.close();
  }
}
