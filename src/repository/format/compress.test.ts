import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compress, decompress } from './compress.ts';
import { loadZstd } from './zstd.ts';

const damaged: unknown = expect.objectContaining({ code: 'repository-damaged' });
const text = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${i * i} de ${i % 97}\n`).join(''));

describe('compressed data', () => {
  it('comes back, with its size known or not', () => {
    const piece = fc.tuple(fc.nat(text.length), fc.nat(text.length)).map(([a, b]) => text.subarray(a, b));
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 5000 }), piece),
        fc.integer({ min: 1, max: 9 }),
        (plain, level) => {
          const packed = compress(plain, level);
          expect(Buffer.compare(decompress(packed, plain.length), plain)).toBe(0);
          expect(Buffer.compare(decompress(packed), plain)).toBe(0);
        },
      ),
    );
  });

  it('is what any other zstd writes and reads', () => {
    expect(Buffer.compare(zstdDecompressSync(compress(text)), text)).toBe(0);
    expect(Buffer.compare(decompress(zstdCompressSync(text), text.length), text)).toBe(0);
    expect(compress(text).length).toBeLessThan(text.length / 2);
  });

  it('keeps nothing of a larger one before it', () => {
    compress(text);
    const small = compress(Buffer.from('small'));
    expect(small.length).toBeLessThan(20);
    expect(Buffer.from(decompress(small, 5)).toString()).toBe('small');
  });

  it('is refused when it is cut short, not zstd at all, or not of the size that was stored', () => {
    const packed = compress(text);
    for (const bytes of [packed.subarray(0, -1), packed.subarray(1), new Uint8Array(9), new Uint8Array(0)]) {
      expect(() => decompress(bytes, text.length)).toThrow(damaged);
    }
    for (const size of [0, 1, text.length - 1, text.length + 1]) {
      expect(() => decompress(packed, size)).toThrow(damaged);
    }
    expect(() => decompress(packed.subarray(0, -1))).toThrow(damaged);
    expect(() => decompress(Buffer.from('not zstd'))).toThrow(damaged);
  });

  it('is refused when it would fill the memory', () => {
    const bomb = zstdCompressSync(Buffer.alloc(600 * 1024 * 1024));
    expect(() => decompress(bomb)).toThrow(damaged);
    expect(() => decompress(bomb, 1000)).toThrow(damaged);
  });
});

/** Compresses again and again and compares, in a thread of its own. */
const busy = `
  const { compress, decompress } = await import(workerData.module);
  for (let i = 0; i < 300; i++) {
    const plain = Buffer.from(Array.from({ length: 3000 }, (_, n) => (n * (i + workerData.seed)).toString(36)).join());
    if (Buffer.compare(decompress(compress(plain), plain.length), plain) !== 0) throw new Error('damaged');
  }
`;

describe('several threads', () => {
  it('compress at the same time without disturbing each other', async () => {
    const module = new URL('compress.ts', import.meta.url).href;
    const source = `import { workerData } from 'node:worker_threads'; ${busy}`;
    const workers = [1, 2, 3].map((seed) => {
      const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
      return new Worker(url, { workerData: { seed, module } });
    });
    expect(await Promise.all(workers.map((worker) => once(worker, 'exit')))).toEqual([[0], [0], [0]]);
  });
});

describe('zstd with kept contexts', () => {
  it('is there on Linux', () => {
    if (process.platform === 'linux') expect(loadZstd()).toBeDefined();
  });
});
