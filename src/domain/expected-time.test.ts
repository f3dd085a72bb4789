import { describe, expect, it } from 'vitest';
import { expectedTime } from './expected-time.ts';

describe('the expected time', () => {
  it('is not known where nothing like it was done before', () => {
    expect(expectedTime(1000, [])).toBeUndefined();
    expect(expectedTime(0, [{ bytes: 1000, milliseconds: 10 }])).toBeUndefined();
    expect(expectedTime(1000, [{ bytes: 0, milliseconds: 10 }])).toBeUndefined();
    expect(expectedTime(1_000_000, [{ bytes: 1000, milliseconds: 500 }])).toBeUndefined();
  });

  it('is that of what was done before, for so many bytes', () => {
    expect(expectedTime(2000, [{ bytes: 1000, milliseconds: 10 }])).toBe(20);
  });

  it('is told by the five that are most alike, of which the middle one counts', () => {
    const alike = [1, 2, 30, 4, 5].map((milliseconds) => ({ bytes: 100, milliseconds }));
    const others = [1, 2, 3, 4, 5].map(() => ({ bytes: 1000, milliseconds: 1_000_000 }));
    expect(expectedTime(100, [...others, ...alike])).toBe(4);
  });
});
