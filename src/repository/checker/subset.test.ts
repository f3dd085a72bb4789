import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashId, type Id } from '../format/id.ts';
import { packsOf } from './subset.ts';

function packs(count: number): Map<Id, number> {
  return new Map(Array.from({ length: count }, (_, i) => [hashId(Buffer.from(String(i))), 1000]));
}

test('the parts of a repository are all of it, each pack once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 256 }), (count, parts) => {
      const sizes = packs(count);
      const read = Array.from({ length: parts }, (_, i) => [
        ...packsOf({ part: i + 1, parts }, sizes, Math.random),
      ]).flat();
      expect(read.sort()).toEqual([...sizes.keys()].sort());
    }),
    { numRuns: 50 },
  );
});

test('a share is of the number of packs, and at least one', () => {
  const sizes = packs(200);
  expect(packsOf({ percent: 10 }, sizes, Math.random).size).toBe(20);
  expect(packsOf({ percent: 0.001 }, sizes, Math.random).size).toBe(1);
  expect(packsOf({ percent: 100 }, sizes, Math.random).size).toBe(200);
  expect(packsOf({ percent: 50 }, packs(0), Math.random).size).toBe(0);
});

test('bytes are a share of all bytes', () => {
  expect(packsOf({ bytes: 50_000 }, packs(200), Math.random).size).toBe(50);
  expect(packsOf({ bytes: 1e12 }, packs(200), Math.random).size).toBe(200);
});

test('every pack has its chance', () => {
  const sizes = packs(20);
  const seen = new Set<Id>();
  for (let i = 0; i < 500; i++) for (const id of packsOf({ percent: 10 }, sizes, Math.random)) seen.add(id);
  expect(seen.size).toBe(20);
});
