import { describe, expect, it } from 'vitest';

import { cutIntoParts, sizeOfPart } from './stream.ts';

const MIB = 1024 ** 2;

describe('the parts of a stream', () => {
  it('are small while that is enough, and large enough in the end for the largest object that S3 knows', () => {
    const sizes = Array.from({ length: 10_000 }, (_, number) => sizeOfPart(number));
    expect(sizes[0]).toBe(16 * MIB);
    expect(sizes.reduce((sum, size) => sum + size)).toBeGreaterThanOrEqual(5 * 1024 ** 4);
    expect(Math.max(...sizes)).toBe(1024 * MIB);
    for (const [number, size] of sizes.entries()) expect(size).toBeGreaterThanOrEqual(sizes[number - 1] ?? 0);
  });

  it.each([
    { pieces: [], parts: [] },
    { pieces: [''], parts: [] },
    { pieces: ['a'], parts: ['a'] },
    { pieces: ['ab', 'c'], parts: ['ab', 'c'] },
    { pieces: ['a', '', 'bcdefghij', 'k'], parts: ['ab', 'cde', 'fghi', 'jk'] },
  ])('of $pieces are $parts', async ({ pieces, parts }) => {
    const content = async function* () {
      for (const piece of pieces) yield await Promise.resolve(Buffer.from(piece));
    };
    const cut = await Array.fromAsync(cutIntoParts(content(), (number) => number + 2));
    expect(cut.map((part) => Buffer.from(part).toString())).toEqual(parts);
  });
});
