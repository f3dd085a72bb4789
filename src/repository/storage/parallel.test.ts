import { describe, expect, test } from 'vitest';
import { inParallel } from './parallel.ts';

describe('work in parallel', () => {
  test('is never more than the limit at once, and answers in order', async () => {
    let running = 0;
    let most = 0;
    const work = async (item: number) => {
      most = Math.max(most, ++running);
      for (let turn = 0; turn < 20 - item; turn++) await Promise.resolve();
      running -= 1;
      return item * 2;
    };
    const items = Array.from({ length: 20 }, (_, i) => i);
    expect(await Array.fromAsync(inParallel(items, 3, work))).toEqual(items.map((item) => item * 2));
    expect(most).toBe(3);
  });

  test('that fails starts nothing more, and waits for what is under way', async () => {
    const started: number[] = [];
    const ended: number[] = [];
    const work = async (item: number) => {
      started.push(item);
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      if (item === 0) throw new Error('no');
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      ended.push(item);
    };
    await expect(Array.fromAsync(inParallel([0, 1, 2, 3, 4, 5], 3, work))).rejects.toThrow('no');
    expect(started).toEqual([0, 1, 2]);
    expect(ended).toEqual([1, 2]);
  });
});
