import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { release } from '../domain/release.ts';
import { byBlocks } from './blocks.ts';

/** Makes of each block a whole that stands by itself: a member of gzip, or a frame of zstd. */
export interface BlockCompressor {
  /** What it answers is nobody else's to write to. */
  compress(block: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

const KIB = 1024;

/** Works on several blocks at a time: each of its compressors goes on with the next one. */
export function pooled(newCompressor: () => BlockCompressor): BlockCompressor {
  const idle: BlockCompressor[] = [];
  return {
    compress: async (block) => {
      const compressor = idle.pop() ?? newCompressor();
      const compact = await compressor.compress(block);
      idle.push(compressor);
      return compact;
    },
    close: () => {
      for (const compressor of idle) compressor.close();
    },
  };
}

/**
 * Content as the compressor makes it, block by block, several at a time; it is closed at the end.
 * @param compressor asked for the blocks in their order
 * @param onTaken told of each piece of the content that is not needed any more
 */
export async function* compressedBlocks(
  content: AsyncIterable<Uint8Array>,
  blockBytes: number,
  compressor: BlockCompressor,
  onTaken?: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* byBlocks(content, blockBytes, (block) => compressor.compress(block), onTaken);
  } finally {
    compressor.close();
  }
}

/** What a thread hands out at a time. Most blocks of gzip become no more than that. */
const GZIP_OUTPUT = 256 * KIB;

/** One block at a time. */
export function gzipCompressor(level: number): BlockCompressor {
  const options = { level, flush: zlib.constants.Z_FINISH, chunkSize: GZIP_OUTPUT };
  // Its type does not say that it can be reset, as everything of deflate can.
  const gzip = zlib.createGzip(options) as zlib.Gzip & zlib.ZlibReset;
  return compressorOf(gzip, GZIP_OUTPUT, () => gzip.reset());
}

/**
 * One block at a time.
 * @param blockBytes of the largest block. Where the frame of it has room in one piece of output whatever comes, zstd
 * works on the block where it lies; else it copies it first, and looks for matches across the seams of its copies.
 */
export function zstdCompressor(level: number, blockBytes: number): BlockCompressor {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag, ZSTD_e_end } = zlib.constants;
  const largestFrame = blockBytes + blockBytes / 256 + KIB;
  // The piece serves many frames, and is done with when the largest has no more room in what is left of it.
  const options = {
    flush: ZSTD_e_end,
    chunkSize: 2 * largestFrame,
    params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 },
  };
  return compressorOf(zlib.createZstdCompress(options), options.chunkSize, () => undefined);
}

/**
 * The memory that compression works in is the same for all blocks: to ask for it anew takes as long as zstd itself.
 * @param zipped ends a member or frame with everything that is written to it at once
 * @param chunkBytes the size of the memory that it hands out parts of
 * @param prepare what has to be done between two of them
 */
function compressorOf(zipped: Transform, chunkBytes: number, prepare: () => void): BlockCompressor {
  const output = new Output(chunkBytes);
  zipped.on('data', (piece: Uint8Array) => output.add(piece));
  // Whoever waits for the block is told.
  zipped.on('error', () => undefined);
  return {
    compress: (block) =>
      new Promise((resolve, reject) => {
        zipped.write(block, (error) => {
          if (error) {
            reject(error);
            return;
          }
          resolve(output.take());
          prepare();
        });
      }),
    close: () => zipped.destroy(),
  };
}

/**
 * What zlib hands out are parts of memory that it goes on to fill, until that is full. A copy has memory of its own, which
 * can be given back as soon as it is stored; and what is full is given back at once. For content that does not become
 * smaller the collector of garbage would run for every few blocks otherwise.
 */
class Output {
  readonly #chunkBytes: number;
  #pieces: Uint8Array[] = [];
  #filling: ArrayBufferLike | undefined;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
  }

  add(piece: Uint8Array): void {
    this.#pieces.push(piece);
  }

  /** All that was added since the last time. */
  take(): Uint8Array {
    const whole = Buffer.allocUnsafeSlow(this.#pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
      if (piece.buffer === this.#filling) continue;
      // Never what others have parts of, too.
      if (this.#filling?.byteLength === this.#chunkBytes) release(new Uint8Array(this.#filling));
      this.#filling = piece.buffer;
    }
    this.#pieces = [];
    return whole;
  }
}
