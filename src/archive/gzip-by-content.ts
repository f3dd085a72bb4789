import { gzipCompressor, pooled, type BlockCompressor } from './block-compressor.ts';
import { BLOCKS_PER_SAMPLE, levelOf, sampleOf, type GzipLevel, type Sample } from './gzip-level.ts';

/** Gives each block the level that it is worth: the compression of a dump by the usual one alone can take longer than the dump. */
export function gzipByContent(): BlockCompressor {
  const levels: Readonly<Record<GzipLevel, BlockCompressor>> = { 0: gzipOf(0), 1: gzipOf(1), 6: gzipOf(6) };
  let begun = 0;
  let sample: Promise<Sample>;

  const taken = async (piece: Uint8Array): Promise<Sample> => {
    const [quick, usual] = await Promise.all([levels[1].compress(piece), levels[6].compress(piece)]);
    return { plain: piece.length, quick: quick.length, usual: usual.length };
  };
  return {
    compress: async (block) => {
      if (begun++ % BLOCKS_PER_SAMPLE === 0) sample = taken(sampleOf(block));
      return levels[levelOf(await sample, block)].compress(block);
    },
    close: () => {
      for (const level of Object.values(levels)) level.close();
    },
  };
}

function gzipOf(level: GzipLevel): BlockCompressor {
  return pooled(() => gzipCompressor(level));
}
