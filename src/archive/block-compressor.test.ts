import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gzipCompressor, zstdCompressor } from './block-compressor.ts';
import { decompressed } from './compression.ts';
import { gzipByContent } from './gzip-by-content.ts';

const { signal } = new AbortController();
const LARGEST = 64 * 1024;

const block = fc.tuple(fc.integer({ min: 0, max: LARGEST }), fc.boolean()).map(([size, isRandom]) => {
  return isRandom ? randomBytes(size) : Buffer.alloc(size, 'INSERT INTO orders VALUES (1);\n');
});

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

describe.each([
  { name: 'gzip' as const, how: 'gzip', newCompressor: () => gzipCompressor(6) },
  { name: 'gzip' as const, how: 'gzip of several levels', newCompressor: gzipByContent },
  { name: 'zstd' as const, how: 'zstd', newCompressor: () => zstdCompressor(3, LARGEST) },
])('a compressor by $how', ({ name, newCompressor }) => {
  it('makes wholes of block after block in memory of their own, whatever they hold and whatever has been before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(block, { minLength: 1, maxLength: 12 }), async (blocks) => {
        const compressor = newCompressor();
        const compact: Uint8Array[] = [];
        for (const bytes of blocks) compact.push(await compressor.compress(bytes));
        compressor.close();
        // So that whoever stores them can give it back.
        for (const piece of compact) expect(piece.buffer.byteLength).toBe(piece.length);
        for (const [i, bytes] of blocks.entries()) {
          const plain = await Array.fromAsync(decompressed(only(compact[i] ?? Buffer.alloc(0)), name, signal));
          expect(Buffer.concat(plain).equals(bytes)).toBe(true);
        }
        const all = await Array.fromAsync(decompressed(only(Buffer.concat(compact)), name, signal));
        expect(Buffer.concat(all).equals(Buffer.concat(blocks))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });
});
