import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chunker, chunkSizes, lineSizes, MAX_CHUNK, MIN_CHUNK, RESTIC_SIZES } from './chunker.ts';

const POLYNOMIAL = 0x3da3358b4dc173n;
const MASK = (1 << 20) - 1;

/** The ends of chunks by the definition: the digest of 64 bytes, kept in two halves of 32 bits to be quick. */
function cutsByDefinition(bytes: Uint8Array, { min, max, bits } = RESTIC_SIZES): number[] {
  const cuts: number[] = [];
  for (let start = 0; start < bytes.length;) {
    const last = Math.min(bytes.length, start + max);
    let end = start + min;
    while (end < last && (lowDigest(bytes, end) & (2 ** bits - 1)) !== 0) end++;
    cuts.push((start = Math.min(end, last)));
  }
  return cuts;
}

/** What each of 64 places of the window adds to the low 20 bits of the digest, for each bit of its byte. */
const contributions = Array.from({ length: 64 }, (_, place) =>
  Array.from({ length: 8 }, (_, bit) => {
    let value = 1n;
    for (let i = 0; i < 8 * (63 - place) + bit; i++) {
      value <<= 1n;
      if (value >> 53n) value ^= POLYNOMIAL;
    }
    return Number(value & BigInt(MASK));
  }),
);
const byByte = contributions.map((bits) =>
  Int32Array.from({ length: 256 }, (_, byte) =>
    bits.reduce((sum, value, i) => ((byte >> i) & 1 ? sum ^ value : sum), 0),
  ),
);

function lowDigest(bytes: Uint8Array, end: number): number {
  let digest = 0;
  for (let place = 0; place < 64; place++) digest ^= byByte[place]?.[bytes[end - 64 + place] ?? 0] ?? 0;
  return digest;
}

/** The ends of chunks as a reader of a stream finds them: `read` bytes at a time, in a window of `capacity`. */
function cutsOfStream(bytes: Uint8Array, read: number, capacity: number, sizes = RESTIC_SIZES): number[] {
  const chunker = new Chunker(POLYNOMIAL, capacity);
  chunker.use(sizes);
  const { window } = chunker;
  const cuts: number[] = [];
  let [start, end, position, dropped] = [0, 0, 0, 0];
  for (;;) {
    const length = Math.min(read, bytes.length - position, window.length - end);
    window.set(bytes.subarray(position, position + length), end);
    end += length;
    position += length;
    const final = position === bytes.length;
    for (let cut = chunker.next(start, end, final); cut > 0; cut = chunker.next(start, end, final)) {
      cuts.push(dropped + cut);
      start = cut;
    }
    if (final) return cuts;
    if (end === window.length) {
      window.copyWithin(0, start, end);
      chunker.moved(start);
      dropped += start;
      end -= start;
      start = 0;
    }
  }
}

/** Random bytes, the same every time. */
function noise(length: number): Uint8Array {
  return createHash('shake256', { outputLength: length }).update('noise').digest();
}

describe('chunks', () => {
  it('end where the definition says', () => {
    const bytes = noise(6 * 1024 * 1024 + 77);
    const cuts = cutsOfStream(bytes, 1 << 20, 16 << 20);
    expect(cuts).toEqual(cutsByDefinition(bytes));
    expect(cuts.length).toBeGreaterThan(3);
  });

  it('do not depend on how their bytes arrive or are moved', () => {
    const bytes = noise(12 * 1024 * 1024);
    const expected = cutsOfStream(bytes, bytes.length, bytes.length);
    const piece = fc.integer({ min: 10_000, max: 3_000_000 });
    const capacity = fc.integer({ min: MAX_CHUNK, max: 2 * MAX_CHUNK });
    fc.assert(
      fc.property(piece, capacity, (read, size) => {
        expect(cutsOfStream(bytes, read, size)).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });

  it('are as long as they may be where nothing asks for a cut', () => {
    const length = 2 * MAX_CHUNK + MIN_CHUNK;
    // All windows are equal, and theirs is not a digest that cuts.
    const cuts = cutsOfStream(new Uint8Array(length).fill(1), 1 << 20, 9 << 20);
    expect(cuts).toEqual([MAX_CHUNK, 2 * MAX_CHUNK, length]);
  });

  it('are as short as they may be where everything asks for a cut', () => {
    const cuts = cutsOfStream(new Uint8Array(4 * MIN_CHUNK + 5), 300_000, 9 << 20);
    expect(cuts).toEqual([1, 2, 3, 4].map((n) => n * MIN_CHUNK).concat(4 * MIN_CHUNK + 5));
  });

  it.each([0, 1, 63, 64, MIN_CHUNK - 1, MIN_CHUNK, MIN_CHUNK + 1])('of %i bytes in all are found', (length) => {
    const bytes = noise(length);
    expect(cutsOfStream(bytes, 1 << 20, 9 << 20)).toEqual(cutsByDefinition(bytes));
  });

  it('end at the very byte that completes them, and not before', () => {
    const bytes = noise(3 * 1024 * 1024);
    const [cut = 0] = cutsByDefinition(bytes);
    for (const steps of [
      [cut - 1, cut],
      [MIN_CHUNK - 1, cut - 2, cut - 1, cut],
      [cut - 70_000, cut - 1, cut + 1],
    ]) {
      const chunker = new Chunker(POLYNOMIAL, bytes.length);
      chunker.window.set(bytes);
      expect(steps.map((end) => chunker.next(0, end, false))).toEqual([...steps.slice(1).map(() => 0), cut]);
    }
  });

  it.each([1000, 4096, 32_768, 300_000, 1 << 20, 1 << 30])('can be of about %i bytes', (average) => {
    const bytes = noise(4 * 1024 * 1024 + 77);
    const sizes = chunkSizes(average);
    const cuts = cutsOfStream(bytes, 1 << 20, 9 << 20, sizes);
    expect(cuts).toEqual(cutsByDefinition(bytes, sizes));
    const mean = bytes.length / cuts.length;
    const wanted = Math.min(Math.max(average, 4096), 1 << 20);
    expect(mean).toBeGreaterThan(wanted / 4);
    expect(mean).toBeLessThan(wanted * 2);
  });

  it('start anew after a cut, wherever the caller lets the next one start', () => {
    const chunker = new Chunker(POLYNOMIAL, 4 << 20);
    chunker.window.set(randomBytes(4 << 20));
    const first = chunker.next(0, 4 << 20, true);
    chunker.next(100, 200_000, false);
    expect(chunker.next(0, 4 << 20, true)).toBe(first);
    expect(chunker.next(0, 1000, false)).toBe(0);
    expect(chunker.next(0, 1000, true)).toBe(1000);
    expect(chunker.next(5, 5, true)).toBe(0);
  });
});

/** The hash of a line, its end included, as the kernel defines it. */
function lineHash(line: Buffer): bigint {
  const text = line.subarray(0, -1);
  const words = Buffer.alloc(8 * (Math.floor(text.length / 8) + 1));
  text.copy(words);
  const tail = text.length % 8;
  // What does not fill the last word stands at its top.
  if (tail > 0)
    words
      .copyWithin(words.length - tail, words.length - 8, words.length - 8 + tail)
      .fill(0, words.length - 8, words.length - tail);
  let hash = 0x9e3779b97f4a7c15n;
  for (let at = 0; at < words.length; at += 8) {
    const mixed = hash ^ words.readBigUInt64LE(at);
    hash = BigInt.asUintN(64, BigInt.asUintN(64, (mixed << 29n) | (mixed >> 35n)) * 0xd6e8feb86659fd93n);
  }
  return hash >> 32n;
}

function lineCutsByDefinition(bytes: Buffer, { min, max, bits } = lineSizes(4096)): number[] {
  const cuts: number[] = [];
  for (let start = 0; start < bytes.length;) {
    const last = Math.min(bytes.length, start + max);
    let cut = last;
    for (let line = start; line < last;) {
      const end = bytes.indexOf('\n', line) + 1;
      if (end === 0 || end > last) break;
      const asks = lineHash(bytes.subarray(line, end)) << BigInt(bits) < BigInt(end - line) << 32n;
      if (end >= start + min && asks) {
        cut = end;
        break;
      }
      line = end;
    }
    cuts.push((start = cut));
  }
  return cuts;
}

describe('chunks of lines', () => {
  const words = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 60 });
  /** Lines of those lengths: of noise without line ends, or all of one byte. */
  const linesOf = (lengths: readonly number[], uniform: boolean): Buffer =>
    Buffer.concat(
      lengths.flatMap((length, i) => [
        uniform
          ? Buffer.alloc(length, 'x')
          : noise(length + i)
              .subarray(i)
              .map((byte) => (byte === 10 ? 11 : byte)),
        Buffer.from('\n'),
      ]),
    );

  it('end where the definition says, however the bytes arrive and whatever follows them', () => {
    fc.assert(
      fc.property(words, fc.boolean(), fc.integer({ min: 1, max: 50_000 }), (lengths, uniform, read) => {
        const bytes = linesOf([...lengths, ...lengths, ...lengths], uniform);
        const cuts = lineCutsByDefinition(bytes);
        expect(cutsOfStream(bytes, read, 256 * 1024, lineSizes(4096))).toEqual(cuts);
      }),
      { numRuns: 100 },
    );
  });

  it('have about the size that was asked for, of short lines and of long ones', () => {
    for (const [length, average] of [
      [20, 4096],
      [100, 32_768],
      [3000, 32_768],
    ] as const) {
      const lines = Array.from({ length: (4 << 20) / length }, (_, i) => `${String(i)}\t${'-'.repeat(length - 10)}\n`);
      const bytes = Buffer.from(lines.join(''));
      const cuts = cutsOfStream(bytes, 1 << 20, 9 << 20, lineSizes(average));
      expect(bytes.length / cuts.length).toBeGreaterThan(average / 2);
      expect(bytes.length / cuts.length).toBeLessThan(average * 2);
    }
  });

  it('change near a line that comes, goes or changes, and nowhere else', () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `${String(i)}\tname ${String(i * 7919)}\t\\N\n`);
    const chunksOf = (from: readonly string[]): Set<string> => {
      const bytes = Buffer.from(from.join(''));
      const cuts = cutsOfStream(bytes, 1 << 20, 9 << 20, lineSizes(4096));
      return new Set(cuts.map((cut, i) => bytes.toString('latin1', cuts[i - 1] ?? 0, cut)));
    };
    const before = chunksOf(lines);
    fc.assert(
      fc.property(fc.nat({ max: lines.length - 1 }), fc.constantFrom([], ['new\n'], ['a\n', 'b\n']), (at, put) => {
        const after = chunksOf(lines.toSpliced(at, 1, ...put));
        expect([...after].filter((chunk) => !before.has(chunk)).length).toBeLessThanOrEqual(6);
      }),
      { numRuns: 20 },
    );
  });
});
