/** Which level of gzip a block of content is worth, where nobody said one. Pure: the same content has the same levels. */

/** The cheapest comes first: 0 stores the bytes as they are. */
export type GzipLevel = 0 | 1 | 6;

/** How large a piece of the content is by itself, and what the cheapest and the usual level make of it. */
export interface Sample {
  readonly plain: number;
  readonly quick: number;
  readonly usual: number;
}

/** So many blocks go by one sample. */
export const BLOCKS_PER_SAMPLE = 4;

/** As small as that costs least; from less than that no level could be told. */
const SAMPLE = 16 * 1024;
/** The cheapest level may make so much more of a sample than the usual one. */
const TOLERANCE = 1.015;
/** What becomes no smaller than that has nothing that is worth looking for. */
const HOPELESS = 0.98;
/** Of 8 bits for each byte: what is compressed or encrypted has more. What of a block is text would show. */
const BITS_OF_NOISE = 7.95;
/** Bytes that are counted to tell it. */
const COUNTED = 32 * 1024;

/** From the middle: the beginning of a block is often that of a file, and tells least. */
export function sampleOf(block: Uint8Array): Uint8Array {
  const start = Math.max(0, Math.floor((block.length - SAMPLE) / 2));
  return block.subarray(start, start + SAMPLE);
}

/**
 * Between the levels 1 and 6 others are passed over: they are nearly as small for nearly the same time. Most of what
 * takes level 6 long gets smaller by it, and most of what does not is rows of a table that level 1 makes as small.
 */
export function levelOf(sample: Sample, block: Uint8Array): GzipLevel {
  // A sample cannot promise that nothing in the block is compressible. What it would cost to be wrong is too much.
  if (sample.usual > sample.plain * HOPELESS) return isNoise(block) ? 0 : 6;
  return sample.quick <= sample.usual * TOLERANCE ? 1 : 6;
}

/** Whether bytes from everywhere in the block are as often one as another. */
function isNoise(block: Uint8Array): boolean {
  const counts = new Uint32Array(256);
  // An odd step meets each column of what has columns.
  const step = Math.floor(block.length / COUNTED) | 1;
  let counted = 0;
  for (let at = 0; at < block.length; at += step, counted++) {
    const byte = block[at] ?? 0;
    counts[byte] = (counts[byte] ?? 0) + 1;
  }
  const bits = counts.reduce((sum, count) => (count === 0 ? sum : sum - count * Math.log2(count / counted)), 0);
  return bits > BITS_OF_NOISE * counted;
}
