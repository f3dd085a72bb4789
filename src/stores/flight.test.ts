import { setImmediate as immediately } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { Flight } from './flight.ts';

const signal = new AbortController().signal;

describe('Flight', () => {
  it('lets no more tasks begin than it was told, and waits for all of them', async () => {
    const flight = new Flight(signal);
    let [running, most, done] = [0, 0, 0];
    for (let task = 0; task < 20; task++) {
      await flight.begin(3, async () => {
        most = Math.max(most, ++running);
        await immediately();
        running -= 1;
        done += 1;
      });
    }
    await flight.landed();
    expect([most, done]).toEqual([3, 20]);
  });

  it('tells of the first failure, ends the others and begins nothing more', async () => {
    const flight = new Flight(signal);
    const failure = new Error('first');
    await flight.begin(
      2,
      () =>
        new Promise((_, reject) => {
          flight.signal.addEventListener('abort', () => {
            reject(new Error('ended'));
          });
        }),
    );
    await flight.begin(2, () => Promise.reject(failure));
    await expect(flight.begin(2, () => expect.fail('begun'))).rejects.toBe(failure);
    await flight.end();
    await expect(flight.landed()).rejects.toBe(failure);
    expect(flight.causeOf(new Error('second'))).toBe(failure);
  });

  it('ends with the work that it belongs to', () => {
    const giveUp = new AbortController();
    const flight = new Flight(giveUp.signal);
    giveUp.abort();
    expect(flight.signal.aborted).toBe(true);
    const error = new Error('own');
    expect(flight.causeOf(error)).toBe(error);
  });
});
