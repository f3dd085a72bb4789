import { describe, expect, it } from 'vitest';

import { systemClock } from '../clock.ts';
import { RespaldoError } from '../errors.ts';
import { MemoryStore } from '../stores/memory.ts';
import type { Store } from '../stores/store.ts';
import { doctorStore } from './doctor-store.ts';

const { signal } = new AbortController();

/** A store that is as it should be, but for some of its methods. */
function storeWith(change: (inner: MemoryStore) => Partial<Store>): Store {
  const inner = new MemoryStore();
  const changed = change(inner);
  return new Proxy<Store>(inner, {
    get: (target, name) => {
      const value: unknown = Reflect.get(changed, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const diagnose = (store: Store, until = signal) =>
  doctorStore({ open: () => Promise.resolve(store), clock: systemClock }, until);

describe('doctorStore', () => {
  it('finds a sound store fit, and leaves nothing in it', async () => {
    const store = new MemoryStore();
    await store.write('config', new Uint8Array(1), signal);
    const { fit, observations } = await diagnose(store);
    expect(observations.filter(({ verdict }) => verdict === 'bad')).toEqual([]);
    expect(fit).toBe(true);
    expect(await Array.fromAsync(store.list('', signal))).toEqual([{ key: 'config', size: 1 }]);
  });

  it('removes what one left that was killed, and nothing of one that may be at work', async () => {
    const store = new MemoryStore();
    const left: string[] = [];
    const dying = storeWith((inner) => ({
      write: (key, bytes, until) => (
        left.push(key),
        store.write(key, bytes, until).then(() => inner.write(key, bytes, until))
      ),
    }));
    await diagnose(dying);
    await store.write('respaldo/other', new Uint8Array(1), signal);
    const count = async () => (await Array.fromAsync(store.list('respaldo/', signal))).length;
    const before = await count();
    expect(left.length).toBeGreaterThan(3);
    await diagnose(store);
    expect(await count()).toBe(before);
    const tomorrow = { ...systemClock, now: () => new Date(systemClock.now().getTime() + 25 * 3_600_000) };
    const open = () => Promise.resolve<Store>(store);
    expect((await doctorStore({ open, clock: tomorrow }, signal)).fit).toBe(true);
    expect(await Array.fromAsync(store.list('respaldo/', signal))).toEqual([{ key: 'respaldo/other', size: 1 }]);
  });

  const flaws: Readonly<Record<string, [trait: string, (inner: MemoryStore) => Partial<Store>]>> = {
    'forgets the end of what is written': [
      'read after write',
      (inner) => ({ write: (key, bytes, until) => inner.write(key, bytes.slice(0, 1000), until) }),
    ],
    'shows what is written only the next time': [
      'overwriting',
      (inner) => {
        const before = new Map<string, Uint8Array>();
        return {
          write: async (key, bytes, until) => {
            const old = await inner.read(key, undefined, until).catch(() => undefined);
            if (old !== undefined) before.set(key, old);
            await inner.write(key, bytes, until);
          },
          read: async (key, range, until) => before.get(key) ?? inner.read(key, range, until),
        };
      },
    ],
    'gives whole objects instead of ranges': [
      'ranges',
      (inner) => ({ read: (key, _, until) => inner.read(key, undefined, until) }),
    ],
    'lists late': ['listing', () => ({ list: async function* () {} })],
    'keeps what was removed': ['absence', () => ({ remove: () => Promise.resolve() })],
  };

  it.each(Object.entries(flaws))('finds unfit a store that %s', async (_what, [trait, change]) => {
    const { fit, observations } = await diagnose(storeWith(change));
    expect(fit).toBe(false);
    expect(observations).toContainEqual(expect.objectContaining({ trait, verdict: 'bad' }));
  });

  it('tells what fails in the middle, and tries the rest', async () => {
    const broken = storeWith((inner) => ({
      read: (key, range, until) =>
        range === undefined
          ? inner.read(key, range, until)
          : Promise.reject(new RespaldoError('store-refused', 'no ranges here', { hint: 'Take another.' })),
    }));
    const { observations } = await diagnose(broken);
    expect(observations).toContainEqual({
      ...{ trait: 'ranges', verdict: 'bad', found: 'no ranges here', advice: 'Take another.' },
    });
    expect(observations.at(-1)?.trait).toBe('speed');
  });

  it('says so if nothing can be written there, or it is given up', async () => {
    const closed = storeWith(() => ({ write: () => Promise.reject(new RespaldoError('store-refused', 'read-only')) }));
    await expect(diagnose(closed)).rejects.toMatchObject({ code: 'store-refused' });
    const giveUp = new AbortController();
    const store = storeWith((inner) => ({
      stat: (key, until) => {
        giveUp.abort();
        return inner.stat(key, until);
      },
    }));
    await expect(diagnose(store, giveUp.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(await Array.fromAsync(store.list('', signal))).toEqual([]);
  });
});
