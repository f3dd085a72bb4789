import { describe, expect, it } from 'vitest';
import { isIrreducible, randomPolynomial } from './polynomial.ts';

/** Carry-less product. */
function product(a: bigint, b: bigint): bigint {
  let sum = 0n;
  for (let i = 0n; b >> i > 0n; i++) if ((b >> i) & 1n) sum ^= a << i;
  return sum;
}

describe('irreducibility', () => {
  it('is what trial multiplication says, for every polynomial up to degree 9', () => {
    const limit = 1n << 10n;
    const reducible = new Set<bigint>();
    for (let a = 2n; a < limit; a++) {
      for (let b = 2n; b <= a; b++) {
        const ab = product(a, b);
        if (ab < limit) reducible.add(ab);
      }
    }
    for (let p = 2n; p < limit; p++) expect([p, isIrreducible(p)]).toEqual([p, !reducible.has(p)]);
  });

  it('is denied to constants', () => {
    expect(isIrreducible(0n)).toBe(false);
    expect(isIrreducible(1n)).toBe(false);
  });

  it.each(['31e8c240a9a7d3', '3dc150ef1ae665', '3da3358b4dc173'])('is found in %s, which restic chose', (digits) => {
    expect(isIrreducible(BigInt(`0x${digits}`))).toBe(true);
  });

  it('is denied to products of degree 53, large and small factors alike', () => {
    let seen = 0;
    for (let factor = 3n; factor < 1n << 27n; factor = factor * 3n + 2n) {
      for (let other = (1n << BigInt(54 - factor.toString(2).length)) | 1n; seen < 2000; other += 2n) {
        const p = product(factor, other);
        expect(p.toString(2)).toHaveLength(54);
        expect(isIrreducible(p)).toBe(false);
        seen++;
        if (seen % 40 === 0) break;
      }
    }
    expect(seen).toBeGreaterThan(400);
  });
});

describe('a random polynomial', () => {
  it('has degree 53, is irreducible, and is another one each time', () => {
    const some = Array.from({ length: 20 }, randomPolynomial);
    for (const p of some) {
      expect(p.toString(2)).toHaveLength(54);
      expect(isIrreducible(p)).toBe(true);
    }
    expect(new Set(some).size).toBe(some.length);
  });
});
