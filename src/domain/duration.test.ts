import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatDuration, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  it.each([
    ['2y5m7d3h', { years: 2, months: 5, days: 7, hours: 3 }],
    ['3h2y', { years: 2, months: 0, days: 0, hours: 3 }],
    [' 30d ', { years: 0, months: 0, days: 30, hours: 0 }],
    ['1d2d', { years: 0, months: 0, days: 2, hours: 0 }],
  ])('reads "%s"', (text, duration) => {
    expect(parseDuration(text)).toEqual(duration);
  });

  it.each(['', '7', 'd', '-5d', '5w', '1.5d', '5 d', '1y 2m', '99999999999d'])('does not take "%s"', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('reads what formatDuration writes', () => {
    const count = fc.nat(999);
    fc.assert(
      fc.property(fc.record({ years: count, months: count, days: count, hours: count }), (duration) => {
        const text = formatDuration(duration);
        if (text !== '') expect(parseDuration(text)).toEqual(duration);
      }),
    );
  });
});
