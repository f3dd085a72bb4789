import { describe, expect, it } from 'vitest';

import { RespaldoError } from '../errors.ts';
import { MemoryStore } from './memory.ts';
import type { Patience } from './patience.ts';
import { RetryingStore } from './retrying.ts';

const PATIENCE: Patience = { attempts: 6, firstDelay: 100, longestDelay: 500 };

/** Fails the first calls of `stat` with these errors. */
class Failing extends MemoryStore {
  readonly errors: Error[];
  calls = 0;

  constructor(errors: readonly Error[]) {
    super();
    this.errors = [...errors];
  }

  override stat(key: string, signal: AbortSignal) {
    this.calls += 1;
    const error = this.errors.shift();
    return error === undefined ? super.stat(key, signal) : Promise.reject(error);
  }
}

const broken = () => new RespaldoError('store-broken', 'the line is down');

async function trying(errors: readonly Error[], options: { random?: () => number; signal?: AbortSignal } = {}) {
  const delays: number[] = [];
  const told: string[] = [];
  const inner = new Failing(errors);
  const store = new RetryingStore(inner, PATIENCE, {
    pause: async (delay, signal) => {
      delays.push(delay);
      signal.throwIfAborted();
    },
    onRetry: ({ message }, delay) => told.push(`${message}, ${delay}`),
    random: options.random ?? (() => 1),
  });
  const { signal = new AbortController().signal } = options;
  await store.write('a', new Uint8Array(3), new AbortController().signal);
  const outcome = await store.stat('a', signal).catch((error: unknown) => error);
  return { outcome, delays, told, calls: inner.calls };
}

describe('RetryingStore', () => {
  it('tries again until it succeeds, and tells of it', async () => {
    const { outcome, told } = await trying([broken(), broken()]);
    expect(outcome).toEqual({ key: 'a', size: 3 });
    expect(told).toEqual(['the line is down, 100', 'the line is down, 200']);
  });

  it('waits twice as long each time, up to a limit, then gives up with the last error', async () => {
    const last = broken();
    const { outcome, delays, calls } = await trying([broken(), broken(), broken(), broken(), broken(), last, broken()]);
    expect(outcome).toBe(last);
    expect(calls).toBe(6);
    expect(delays).toEqual([100, 200, 400, 500, 500]);
  });

  it('shortens each delay by chance, by half at most', async () => {
    expect((await trying([broken(), broken()], { random: () => 0 })).delays).toEqual([50, 100]);
  });

  it.each([
    ['a missing object', new RespaldoError('store-missing', 'gone')],
    ['a full disk', new RespaldoError('store-full', 'full')],
    ['a closed door', new RespaldoError('store-refused', 'no')],
    ['a bug', new TypeError('undefined is not a function')],
  ])('does not try again for %s', async (_, error) => {
    const { outcome, calls } = await trying([error]);
    expect(outcome).toBe(error);
    expect(calls).toBe(1);
  });

  it('tries no more once it is aborted', async () => {
    const { outcome, calls, delays } = await trying([broken(), broken()], { signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ code: 'cancelled' });
    expect({ calls, delays }).toEqual({ calls: 1, delays: [] });
  });

  it('stops waiting when it is aborted', async () => {
    const stop = new AbortController();
    const store = new RetryingStore(
      new Failing([broken()]),
      { attempts: 2, firstDelay: 1e9, longestDelay: 1e9 },
      { onRetry: () => setImmediate(() => stop.abort()) },
    );
    await expect(store.stat('a', stop.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });
});
