import { constants, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compress } from './compress.ts';
import { declaredSize } from './zstd-frame.ts';

describe('the size that a zstd frame declares', () => {
  it.each([0, 1, 255, 256, 257, 65_791, 65_792, 1_000_000])('is %i', (size) => {
    expect(declaredSize(compress(Buffer.alloc(size)))).toBe(size);
  });

  it('is there, or is not, and is nothing else in any bytes', () => {
    const plain = Buffer.from('plain '.repeat(100));
    const params = { [constants.ZSTD_c_contentSizeFlag]: 0 };
    expect(declaredSize(zstdCompressSync(plain, { params }))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.nat(20), (bytes, cut) => {
        expect(declaredSize(bytes)).toBeUndefined();
        const frame = Uint8Array.from(compress(plain)).subarray(0, cut);
        expect([undefined, plain.length]).toContain(declaredSize(frame));
      }),
    );
  });
});
