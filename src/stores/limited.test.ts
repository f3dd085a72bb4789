import { describe, expect, it } from 'vitest';

import type { Clock } from '../clock.ts';
import type { StoreLimits } from './limited.ts';
import { LimitedStore } from './limited.ts';
import { LocalStore } from './local/local.ts';
import { MemoryStore } from './memory.ts';
import type { StoredObject } from './store.ts';

const signal = new AbortController().signal;

/** Says who is inside, and lets nobody out until told. */
class Watched extends MemoryStore {
  readonly inside: string[] = [];
  most = 0;
  readonly #doors = new Map<string, () => void>();

  override async stat(key: string): Promise<StoredObject> {
    this.inside.push(key);
    this.most = Math.max(this.most, this.inside.length);
    await new Promise<void>((resolve) => this.#doors.set(key, resolve));
    this.inside.splice(this.inside.indexOf(key), 1);
    return { key, size: 0 };
  }

  letOut(key: string): void {
    this.#doors.get(key)?.();
  }
}

/** Time that passes only while somebody waits. */
function simulate(inner: MemoryStore, limits: StoreLimits) {
  let now = 0;
  const clock: Clock = { now: () => new Date(now), monotonic: () => now };
  const store = new LimitedStore(inner, limits, clock, async (milliseconds) => {
    now += milliseconds;
  });
  return { store, elapsed: () => now, pass: (milliseconds: number) => (now += milliseconds) };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('LimitedStore', () => {
  it('writes what must be new at its rate, where the store can', async () => {
    const { store, elapsed } = simulate(new MemoryStore(), { uploadRate: 1000 });
    expect(await store.writeNew?.('config', new Uint8Array(4000), signal)).toBe(true);
    expect(await store.writeNew?.('config', new Uint8Array(4000), signal)).toBe(false);
    expect(elapsed()).toBeGreaterThan(1000);
  });

  it('lets so many operations run at once, and the others in as they came', async () => {
    const inner = new Watched();
    const store = new LimitedStore(inner, { operations: 2 });
    const all = ['a', 'b', 'c', 'd', 'e'].map((key) => store.stat(key, signal));
    await settled();
    expect(inner.inside).toEqual(['a', 'b']);
    for (const [leaving, inside] of [
      ['b', ['a', 'c']],
      ['a', ['c', 'd']],
      ['d', ['c', 'e']],
    ] as const) {
      inner.letOut(leaving);
      await settled();
      expect(inner.inside).toEqual(inside);
    }
    inner.letOut('c');
    inner.letOut('e');
    await Promise.all(all);
    expect(inner.most).toBe(2);
  });

  it('gives the place of who gave up to the next one', async () => {
    const inner = new Watched();
    const store = new LimitedStore(inner, { operations: 1 });
    const impatient = new AbortController();
    const first = store.stat('a', signal);
    const second = store.stat('b', impatient.signal);
    const third = store.stat('c', signal);
    impatient.abort();
    await expect(second).rejects.toMatchObject({ code: 'cancelled' });
    inner.letOut('a');
    await first;
    await settled();
    expect(inner.inside).toEqual(['c']);
    inner.letOut('c');
    await third;
  });

  it('frees the place of an operation that fails', async () => {
    const store = new LimitedStore(new MemoryStore(), { operations: 1 });
    for (let i = 0; i < 3; i++)
      await expect(store.stat('none', signal)).rejects.toMatchObject({ code: 'store-missing' });
  });

  it('can be used from within a list, with one place only', async () => {
    const store = new LimitedStore(new MemoryStore(), { operations: 1 });
    for (const key of ['a', 'b', 'c']) await store.write(key, new Uint8Array(1), signal);
    for await (const { key } of store.list('', signal)) await store.remove(key, signal);
    expect(await Array.fromAsync(store.list('', signal))).toEqual([]);
  });

  it('keeps the rates, each way by itself, whoever comes at once', async () => {
    const { store, elapsed } = simulate(new MemoryStore(), { uploadRate: 1000, downloadRate: 500 });
    await Promise.all([1, 2, 3, 4].map((i) => store.write(`${i}`, new Uint8Array(1000), signal)));
    expect(elapsed()).toBe(3000);
    await store.read('1', { offset: 0, length: 500 }, signal);
    await store.read('2', undefined, signal);
    expect(elapsed()).toBe(4000);
    await store.read('3', { offset: 0, length: 1 }, signal);
    expect(elapsed()).toBe(6000);
  });

  it('saves up no time in which nobody came', async () => {
    const { store, elapsed, pass } = simulate(new MemoryStore(), { uploadRate: 1000 });
    pass(60_000);
    await store.write('a', new Uint8Array(2000), signal);
    await store.write('b', new Uint8Array(2000), signal);
    expect(elapsed()).toBe(62_000);
  });

  it('does not spend for who gives up while waiting', async () => {
    const store = new LimitedStore(new MemoryStore(), { uploadRate: 1 });
    await store.write('a', new Uint8Array(1_000_000), signal);
    const impatient = new AbortController();
    const waiting = store.write('b', new Uint8Array(1), impatient.signal);
    await settled();
    impatient.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await expect(store.stat('b', signal)).rejects.toMatchObject({ code: 'store-missing' });
  });

  it('hides local files where reading is rationed, and only there', () => {
    const local = new LocalStore('/folder');
    expect(new LimitedStore(local, { downloadRate: 1 }).localPath('a')).toBeUndefined();
    expect(new LimitedStore(local, { uploadRate: 1 }).localPath('a')).toBe('/folder/a');
    expect(new LimitedStore(new MemoryStore(), {}).localPath('a')).toBeUndefined();
  });
});
