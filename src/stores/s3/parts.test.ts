import fc from 'fast-check';
import { expect, it } from 'vitest';

import { partSize } from './parts.ts';

const MIB = 1024 ** 2;

it('cuts into no more parts, and no smaller ones, than servers take', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 43 }), fc.nat(100 * MIB), (total, wanted) => {
      const size = partSize(total, wanted);
      expect(size).toBeGreaterThanOrEqual(5 * MIB);
      expect(Math.ceil(total / size)).toBeLessThanOrEqual(10_000);
      if (wanted >= 5 * MIB && total <= wanted * 10_000) expect(size).toBe(wanted);
    }),
  );
});
