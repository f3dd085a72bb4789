import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Chunker, chunkSizes, type ChunkSizes, lineSizes, RESTIC_SIZES } from '../format/chunker.ts';
import { Cutter, CUTTER_WINDOW, windowFor } from './cutter.ts';

const POLYNOMIAL = 0x3da3358b4dc173n;
const MIB = 1024 * 1024;

/** Lines of a few hundred bytes that look like chance and are not. */
function lines(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed + 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[at] = state >>> 24 === 0 ? 10 : 32 + ((state >>> 16) & 63);
  }
  return bytes;
}

/** Lengths of the chunks that bytes are cut into which come in steps of that many. */
function cut(bytes: Uint8Array, sizes: ChunkSizes, window: number, step: number): number[] {
  const cutter = new Cutter(new Chunker(POLYNOMIAL, window));
  cutter.reset(sizes);
  const lengths: number[] = [];
  const takeAll = (final: boolean): void => {
    for (let chunk = cutter.take(final); chunk !== undefined; chunk = cutter.take(final)) lengths.push(chunk.length);
  };
  for (let at = 0; at < bytes.length;) {
    const space = cutter.space();
    const part = bytes.subarray(at, at + Math.min(step, space.length));
    space.set(part);
    cutter.filled(part.length);
    at += part.length;
    takeAll(false);
  }
  takeAll(true);
  return lengths;
}

test('chunks end in the same places through the small window that is made for them', () => {
  const average = fc.constantFrom(4096, 32_768, 65_536, 131_072);
  fc.assert(
    fc.property(
      average,
      fc.boolean(),
      fc.integer({ min: 1000, max: MIB }),
      fc.nat(1000),
      (average, byLine, step, seed) => {
        const sizes = byLine ? lineSizes(average) : chunkSizes(average);
        const bytes = lines(6 * MIB, seed);
        expect(windowFor(sizes)).toBeLessThanOrEqual(3 * MIB);
        expect(cut(bytes, sizes, windowFor(sizes), step)).toEqual(cut(bytes, sizes, CUTTER_WINDOW, MIB));
      },
    ),
    { numRuns: 12 },
  );
});

test('a window has room for a whole chunk and for what is read at a time', () => {
  for (const sizes of [RESTIC_SIZES, ...[1, 65_536, 131_072, 262_144, MIB].map(chunkSizes)])
    expect(windowFor(sizes)).toBeGreaterThanOrEqual(sizes.max + MIB);
});
