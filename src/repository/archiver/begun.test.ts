import { describe, expect, it } from 'vitest';
import { begun } from './begun.ts';

describe('items that have begun', () => {
  const told: string[] = [];
  async function* items(last: number): AsyncGenerator<number> {
    try {
      for (let n = 1; n <= last; n++) {
        told.push(`made ${n}`);
        yield await Promise.resolve(n);
      }
    } finally {
      told.push('ended');
    }
  }

  it('are all there, in order, and the first was asked for before anybody came', async () => {
    told.length = 0;
    await using early = begun(items(3));
    expect(told).toEqual(['made 1']);
    expect(await Array.fromAsync(early)).toEqual([1, 2, 3]);
    expect(told).toEqual(['made 1', 'made 2', 'made 3', 'ended']);
  });

  it('are ended where nobody wants them, or no more of them', async () => {
    told.length = 0;
    {
      await using early = begun(items(3));
      expect(early).toBeDefined();
    }
    expect(told).toEqual(['made 1', 'ended']);
    told.length = 0;
    for await (const n of begun(items(3))) if (n === 2) break;
    expect(told).toEqual(['made 1', 'made 2', 'ended']);
  });

  it('tell their failure to who asks, and to nobody else', async () => {
    const failing = (): AsyncIterable<number> => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('gone')) }),
    });
    await expect(Array.fromAsync(begun(failing()))).rejects.toThrow('gone');
    await begun(failing())[Symbol.asyncDispose]();
  });
});
