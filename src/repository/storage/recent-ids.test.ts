import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentIds } from './recent-ids.ts';

test('Recent ids are remembered only if they were seen', () => {
  const word = fc.oneof(fc.constantFrom(0, 1, 1 << 14, 0xffff_ffff), fc.nat({ max: 0xffff_ffff }));
  const id = fc.array(word, { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(id), (ids) => {
      const recent = new RecentIds();
      const seen = new Set<string>();
      for (const words of ids) {
        const isKnown = recent.see(new Uint32Array(words), 0);
        expect(isKnown && !seen.has(words.join())).toBe(false);
        expect(recent.see(new Uint32Array([7, ...words]), 1)).toBe(true);
        seen.add(words.join());
      }
    }),
  );
});

test.each([0, 1, 2 ** 31])('Recent ids know none at the start, not that of %s either', (first) => {
  const id = new Uint32Array(8);
  id[0] = first;
  expect(new RecentIds().see(id, 0)).toBe(false);
});
