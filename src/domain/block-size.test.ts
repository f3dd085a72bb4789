import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseBlock, isBlock, LARGEST_BLOCK } from './block-size.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const TIB = 1024 * GIB;

const pages = fc.constantFrom(1, 2, 4, 8, 16, 32).map((kib) => kib * KIB);
const cluster = fc.oneof(fc.integer({ min: 0, max: 20 * GIB }), fc.integer({ min: 0, max: 7 * TIB }));
/** PostgreSQL cuts relations into segments of 1 GiB, unless it was built otherwise. */
const file = fc.integer({ min: 0, max: 4 * GIB });

describe('the block of a relation file', () => {
  it('is a whole number of pages, and never above 8 MiB', () => {
    fc.assert(
      fc.property(file, cluster, pages, (bytes, all, page) => {
        expect(isBlock(chooseBlock(bytes, all, page), page)).toBe(true);
      }),
    );
  });

  it('never shrinks when the file or the cluster grows', () => {
    fc.assert(
      fc.property(file, file, cluster, cluster, (a, b, c, d) => {
        const [small, large] = [Math.min(a, b), Math.max(a, b)];
        const [little, much] = [Math.min(c, d), Math.max(c, d)];
        expect(chooseBlock(large, much, 8 * KIB)).toBeGreaterThanOrEqual(chooseBlock(small, little, 8 * KIB));
      }),
    );
  });

  it('costs less than 0.25 % in clusters over 10 GB whose files have a mebibyte or more on average', () => {
    const sizes = fc.array(fc.integer({ min: MIB, max: GIB }), { minLength: 1, maxLength: 20 });
    const over10GB = fc.integer({ min: 10_000_000_000, max: 7 * TIB });
    fc.assert(
      fc.property(sizes, over10GB, (files, all) => {
        const blocks = files.map((bytes) => Math.ceil(bytes / chooseBlock(bytes, all, 8 * KIB)));
        const metadata = blocks.reduce((sum, count) => sum + 153 * count + 400, 0);
        expect(metadata).toBeLessThan(0.0025 * files.reduce((sum, bytes) => sum + bytes, 0));
      }),
    );
  });

  it('keeps the tree of one directory that holds the whole cluster below 64 MiB', () => {
    fc.assert(
      fc.property(fc.integer({ min: GIB, max: 6 * TIB }), (all) => {
        const segments = Math.ceil(all / GIB);
        const blocks = segments * Math.ceil(GIB / chooseBlock(GIB, all, 8 * KIB));
        expect(67 * blocks + 400 * segments).toBeLessThan(64 * MIB);
      }),
    );
  });

  it('is one or two pages in small clusters, where it finds most of what did not change', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: GIB }), (bytes) => {
        expect(chooseBlock(bytes, 1.5 * GIB, 8 * KIB)).toBeLessThanOrEqual(16 * KIB);
      }),
    );
  });

  it('changes seldom while a cluster grows', () => {
    const steps = new Set<number>();
    for (let all = GIB; all < 2 * GIB; all += 10 * MIB) steps.add(chooseBlock(100 * MIB, all, 8 * KIB));
    expect(steps.size).toBeLessThanOrEqual(2);
  });

  it.each([0, 100, 8191, 12_288 + 1, LARGEST_BLOCK + 8192])('is not %i bytes', (bytes) => {
    expect(isBlock(bytes, 8192)).toBe(false);
  });
});
