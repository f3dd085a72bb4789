import { describe, expect, it } from 'vitest';
import { chooseCut, isSuspiciouslySmall } from './dump-size.ts';

describe('the cut of a dump', () => {
  it.each([
    [0, 16],
    [200_000_000, 16],
    [500_000_000, 32],
    [10_000_000_000, 128],
    [1e15, 1024],
  ])('of %i bytes is %i KiB', (bytes, kib) => {
    expect(chooseCut(bytes, undefined)).toBe(kib * 1024);
  });

  it('stays what it was until it is far off', () => {
    expect(chooseCut(500_000_000, { cut: 16 * 1024 })).toBe(16 * 1024);
    expect(chooseCut(500_000_000, { cut: 256 * 1024 })).toBe(32 * 1024);
  });
});

it.each([
  [49, 100_000, true],
  [51, 100_000, false],
  [1, 60, false],
])('a dump of %i KiB after one of %i KB is suspicious: %s', (now, before, suspicious) => {
  const scale = before === 60 ? 1 : 1000;
  expect(isSuspiciouslySmall(now * scale, { dumpBytes: before })).toBe(suspicious);
});

it('a first dump is never suspicious', () => {
  expect(isSuspiciouslySmall(0, undefined)).toBe(false);
});
