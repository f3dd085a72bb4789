import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { levelOf, sampleOf } from './gzip-level.ts';
import { compressed } from './compression.ts';

const { signal } = new AbortController();
const MIB = 1024 * 1024;

/** Rows as pgbench has them. */
const ROWS = Buffer.from(
  Array.from({ length: 40_000 }, (_, i) => `${String(i)}\t1\t0\t${' '.repeat(84)}\n`).join(''),
).subarray(0, MIB);
/** Words of a language, and so what level 6 makes smaller. */
const TEXT = Buffer.from(readFileSync(new URL('compression.ts', import.meta.url), 'utf8').repeat(1000))
  .subarray(0, MIB)
  .map((byte, i) => (i % 97 === 0 ? 48 + ((i * 7919) % 10) : byte));
const NOISE = randomBytes(MIB);
const BYTES: Readonly<Record<string, Buffer>> = { ROWS, TEXT: Buffer.from(TEXT), NOISE };

async function* inPieces(content: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield await Promise.resolve(content.subarray(at, at + size));
}

async function gzipped(content: Buffer, level?: number, pieces = 300_000): Promise<Buffer> {
  const compression = { name: 'gzip' as const, ...(level !== undefined && { level }) };
  return Buffer.concat(await Array.fromAsync(compressed(inPieces(content, pieces), compression, signal)));
}

/** Four blocks, which go by one sample. */
function four(block: Buffer): Buffer {
  return Buffer.concat([block, block, block, block]);
}

describe('the level of gzip that a block is worth', () => {
  const plain = 16_384;
  it.each([
    { what: 'rows that level 1 makes as small', sample: { plain, quick: 500, usual: 495 }, block: ROWS, level: 1 },
    { what: 'what level 6 makes smaller', sample: { plain, quick: 5000, usual: 4400 }, block: ROWS, level: 6 },
    { what: 'a hair more than is borne', sample: { plain, quick: 5000, usual: 4920 }, block: ROWS, level: 6 },
    { what: 'a hair less than is borne', sample: { plain, quick: 5000, usual: 4930 }, block: ROWS, level: 1 },
    { what: 'noise all through', sample: { plain, quick: 16_400, usual: 16_400 }, block: NOISE, level: 0 },
    { what: 'text with a sample of noise', sample: { plain, quick: 16_400, usual: 16_400 }, block: ROWS, level: 6 },
    {
      what: 'noise with a tenth of text at its end',
      sample: { plain, quick: 16_400, usual: 16_400 },
      block: Buffer.concat([NOISE.subarray(0, 0.9 * MIB), ROWS.subarray(0, 0.1 * MIB)]),
      level: 6,
    },
    { what: 'nothing', sample: { plain: 0, quick: 20, usual: 20 }, block: Buffer.alloc(0), level: 6 },
  ])('is $level for $what', ({ sample, block, level }) => {
    expect(levelOf(sample, block)).toBe(level);
  });

  it('is told by a sample from the middle, of all of a short block', () => {
    expect(sampleOf(Buffer.from('short')).toString()).toBe('short');
    const block = Buffer.alloc(MIB);
    block.fill(1, MIB / 2 - 8192, MIB / 2 + 8192);
    const sample = sampleOf(block);
    expect(sample.every((byte) => byte === 1)).toBe(true);
    // Two levels of that in four blocks take less than three hundredths of what compressing them takes.
    expect(2 * sample.length).toBeLessThan(0.03 * 4 * MIB);
  });
});

describe('gzip without a level', () => {
  it.each([
    { what: 'rows', block: 'ROWS', level: 1 },
    { what: 'text', block: 'TEXT', level: 6 },
    { what: 'noise', block: 'NOISE', level: 0 },
  ])('makes of $what what level $level makes of it', async ({ block, level }) => {
    const content = four(BYTES[block] ?? Buffer.alloc(0));
    const ours = await gzipped(content);
    expect(ours.equals(await gzipped(content, level))).toBe(true);
    expect(ours.length).toBeLessThan(1.015 * (await gzipped(content, 6)).length);
  });

  it('takes a level that was said as it is', async () => {
    const rows = four(ROWS);
    const sums = new Set<string>();
    for (const level of [1, 6, 9])
      sums.add(
        createHash('sha256')
          .update(await gzipped(rows, level))
          .digest('hex'),
      );
    expect(sums.size).toBe(3);
  });

  it('makes the same bytes of the same content, however it comes, and loses none', async () => {
    const blocks = fc.array(fc.tuple(fc.constantFrom('ROWS', 'TEXT', 'NOISE'), fc.integer({ min: 0, max: MIB })), {
      maxLength: 7,
    });
    await fc.assert(
      fc.asyncProperty(blocks, fc.integer({ min: 50_000, max: 2 * MIB }), async (parts, pieces) => {
        const content = Buffer.concat(parts.map(([of, length]) => (BYTES[of] ?? ROWS).subarray(0, length)));
        const first = await gzipped(content);
        expect(gunzipSync(first).equals(content)).toBe(true);
        expect((await gzipped(content, undefined, pieces)).equals(first)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });
});
