import { describe, expect, it } from 'vitest';
import { median, summarize } from './summary.ts';

const sample = (wall: number, memory = 100e6) => ({ wall, cpu: 2 * wall, memory });

describe('A median', () => {
  it('is the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('is between the two in the middle of an even number', () => {
    expect(median([4, 1, 2, 9])).toBe(3);
  });
});

describe('A summary', () => {
  it('tells how many times faster than restic we are, and how much of its processor time we take', () => {
    const { ratios } = summarize({ samples: { respaldo: [sample(1), sample(2)], restic: [sample(3)] } }, undefined);
    expect(ratios).toEqual({ wall: 2, cpu: 0.5, memory: 1 });
  });

  it('has no ratios without restic', () => {
    expect(summarize({ samples: { respaldo: [sample(1)] } }, undefined).ratios).toEqual({});
  });

  it('compares sizes where repositories were written', () => {
    const stored = (bytes: number) => [{ ...sample(1), stored: bytes }];
    const { ratios } = summarize({ samples: { respaldo: stored(101), restic: stored(100) } }, undefined);
    expect(ratios.stored).toBe(1.01);
  });

  it('counts as a blob of the index what a full repository takes more than an empty one', () => {
    const samples = { respaldo: [sample(1, 160e6)] };
    const { indexBytes } = summarize({ samples, baseline: { respaldo: [sample(1, 100e6)] } }, 1_000_000);
    expect(indexBytes).toEqual({ respaldo: 60 });
  });
});
