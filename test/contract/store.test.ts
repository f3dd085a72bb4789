import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '../../src/clock.ts';
import { throwIfAborted } from '../../src/errors.ts';
import { CachedStore } from '../../src/stores/cached.ts';
import { openCache } from '../../src/stores/caches.ts';
import { LimitedStore } from '../../src/stores/limited.ts';
import { LocalStore } from '../../src/stores/local/local.ts';
import { MemoryStore } from '../../src/stores/memory.ts';
import type { RetryOptions } from '../../src/stores/patience.ts';
import { RetryingStore } from '../../src/stores/retrying.ts';
import type { Store } from '../../src/stores/store.ts';
import { FaultyStore, taking } from '../fixtures/faulty-store.ts';
import type { StoreFixture } from './store.ts';
import { describeStore } from './store.ts';

/** Memory that can be mounted: there the wrappers need not wait for a disk that {@link MAKERS} has tried already. */
const QUICK = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const MAKERS: Readonly<Record<string, (wrapped: boolean) => Promise<StoreFixture>>> = {
  memory: async () => ({ store: new MemoryStore(), [Symbol.asyncDispose]: () => Promise.resolve() }),
  local: async (wrapped) => {
    const folder = await mkdtemp(join(wrapped ? QUICK : tmpdir(), 'respaldo-store-'));
    return { store: new LocalStore(folder), [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  },
};

const PATIENCE = { attempts: 6, firstDelay: 1, longestDelay: 10 };
const AT_ONCE: RetryOptions = { pause: async (_, signal) => throwIfAborted(signal) };
const DELAYED = { delay: () => new Promise<void>((resolve) => setImmediate(resolve)) };

const WRAPPERS: Readonly<Record<string, (inner: Store) => Store>> = {
  '': (inner) => inner,
  ', retrying': (inner) => new RetryingStore(inner, PATIENCE),
  ', one operation at a time': (inner) => new LimitedStore(inner, { operations: 1 }),
  ', rationed': (inner) => new LimitedStore(inner, { operations: 3, uploadRate: 1e10, downloadRate: 1e10 }),
  ', broken and retrying': (inner) => {
    const faulty = new FaultyStore(inner, taking('before', 'after', 'midway', undefined, DELAYED));
    return new RetryingStore(new LimitedStore(faulty, { operations: 2 }), { ...PATIENCE, attempts: 100 }, AT_ONCE);
  },
};

describeStore('memory, cached', async () => {
  const folder = await mkdtemp(join(QUICK, 'respaldo-cache-'));
  const cache = await openCache(folder, 'c0'.repeat(32), systemClock, () => undefined);
  return {
    store: new CachedStore(new MemoryStore(), cache),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
});

for (const [name, make] of Object.entries(MAKERS)) {
  for (const [manner, wrap] of Object.entries(WRAPPERS)) {
    describeStore(name + manner, async () => {
      const inner = await make(manner !== '');
      return { store: wrap(inner.store), [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose]() };
    });
  }
}
