import { describe, expect, it } from 'vitest';
import { Gate, mapBounded } from './gate.ts';

describe('Gate', () => {
  it('never lets more in than it has places, and everybody in the end', async () => {
    const gate = new Gate(3);
    let inside = 0;
    let most = 0;
    const done = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        gate.through(async () => {
          most = Math.max(most, ++inside);
          await new Promise(setImmediate);
          inside -= 1;
          return n;
        }),
      ),
    );
    expect(most).toBe(3);
    expect(done).toHaveLength(50);
  });

  it('frees the place of a failure', async () => {
    const gate = new Gate(1);
    await expect(gate.through(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(gate.through(() => Promise.resolve('yes'))).resolves.toBe('yes');
  });

  it('serves the newest first', async () => {
    const gate = new Gate(1);
    const order: number[] = [];
    const held = Promise.withResolvers<undefined>();
    const first = gate.through(() => held.promise);
    const others = [1, 2, 3].map((n) => gate.through(() => Promise.resolve(order.push(n))));
    held.resolve(undefined);
    await Promise.all([first, ...others]);
    expect(order).toEqual([3, 2, 1]);
  });
});

describe('mapBounded', () => {
  it('keeps the order of the items and the bound', async () => {
    let inside = 0;
    let most = 0;
    const results = await mapBounded([5, 4, 3, 2, 1], 2, async (item) => {
      most = Math.max(most, ++inside);
      await new Promise(setImmediate);
      inside -= 1;
      return item * 10;
    });
    expect(results).toEqual([50, 40, 30, 20, 10]);
    expect(most).toBe(2);
  });

  it('rejects with the first failure', async () => {
    await expect(
      mapBounded([1, 2], 2, (n) => (n === 2 ? Promise.reject(new Error('two')) : Promise.resolve(n))),
    ).rejects.toThrow('two');
  });
});
