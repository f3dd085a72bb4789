/** What every store must do, whatever it is made of. */
import fc from 'fast-check';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as immediately } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { RespaldoError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Store, StoredObject } from '../../src/stores/store.ts';

const signal = new AbortController().signal;

/** A store with nothing in it, and how to get rid of it. */
export interface StoreFixture extends AsyncDisposable {
  readonly store: Store;
}

export function describeStore(name: string, make: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let store: Store;

    beforeEach(async () => {
      fixture = await make();
      store = fixture.store;
      await store.create(signal);
    });

    afterEach(async () => {
      await store.close();
      await fixture[Symbol.asyncDispose]();
    });

    it('lists nothing before anything was written', async () => {
      expect(await listed(store)).toEqual([]);
      expect(await listed(store, 'snapshots/')).toEqual([]);
    });

    it('is made only once', async () => {
      await store.write('config', bytes(3), signal);
      await store.create(signal);
      expect(await listed(store)).toEqual([{ key: 'config', size: 3 }]);
    });

    it.each([0, 1, 65_535, 65_536, 65_537, 5_000_000, 40_000_000])('gives back %i bytes as they were', async (size) => {
      const content = bytes(size);
      await store.write('data/ab/abcd', content, signal);
      expect(await store.stat('data/ab/abcd', signal)).toEqual({ key: 'data/ab/abcd', size });
      expect(await listed(store)).toEqual([{ key: 'data/ab/abcd', size }]);
      expect(Buffer.compare(await store.read('data/ab/abcd', undefined, signal), content)).toBe(0);
    });

    it('replaces what is written again, by more or by less', async () => {
      for (const size of [100, 1000, 10, 0]) {
        await store.write('index/a', bytes(size), signal);
        expect(await store.read('index/a', undefined, signal)).toEqual(bytes(size));
      }
    });

    it('keeps and hands out copies', async () => {
      const content = bytes(100);
      await store.write('a/b', content, signal);
      content.fill(0);
      (await store.read('a/b', undefined, signal)).fill(0);
      expect(await store.read('a/b', undefined, signal)).toEqual(bytes(100));
    });

    it('writes a view of a larger buffer as that part alone', async () => {
      await store.write('a', bytes(100).subarray(10, 20), signal);
      expect(await store.read('a', undefined, signal)).toEqual(bytes(100).subarray(10, 20));
    });

    it('hands out bytes with a buffer of their own, so that they can go to another thread', async () => {
      await store.write('a', bytes(100), signal);
      const range = await store.read('a', { offset: 10, length: 20 }, signal);
      expect([range.byteOffset, range.buffer.byteLength]).toEqual([0, 20]);
    });

    it('reads any range', async () => {
      const content = bytes(1000);
      await store.write('a', content, signal);
      await fc.assert(
        fc.asyncProperty(fc.nat(1000), fc.nat(1000), async (a, b) => {
          const [offset, end] = [Math.min(a, b), Math.max(a, b)];
          const read = await store.read('a', { offset, length: end - offset }, signal);
          expect(read).toEqual(content.slice(offset, end));
        }),
        { numRuns: 30 },
      );
    });

    it('fails rather than to give fewer bytes than were asked for', async () => {
      await store.write('a', bytes(10), signal);
      await expect(store.read('a', { offset: 5, length: 6 }, signal)).rejects.toThrow(ours('store-broken'));
      await expect(store.read('a', { offset: 11, length: 0 }, signal)).rejects.toThrow(ours('store-broken'));
    });

    it('says that there is no such object', async () => {
      await store.write('data/ab/abcd', bytes(1), signal);
      for (const key of ['config', 'data/ab', 'data/ab/ab', 'data/ab/abcd/e', 'x/y/z']) {
        await expect(store.stat(key, signal)).rejects.toThrow(ours('store-missing'));
        await expect(store.read(key, undefined, signal)).rejects.toThrow(ours('store-missing'));
        await expect(store.read(key, { offset: 0, length: 0 }, signal)).rejects.toThrow(ours('store-missing'));
      }
    });

    it('removes, and does not mind if there is nothing to remove', async () => {
      await store.write('locks/a', bytes(1), signal);
      await store.write('locks/b', bytes(1), signal);
      await store.remove('locks/a', signal);
      await store.remove('locks/a', signal);
      await store.remove('never/was', signal);
      expect(await listed(store)).toEqual([{ key: 'locks/b', size: 1 }]);
      await expect(store.read('locks/a', undefined, signal)).rejects.toThrow(ours('store-missing'));
    });

    it('lists what lies below a prefix', async () => {
      const keys = ['config', 'data/00/1', 'data/01/2', 'database', 'index/3', 'index/deep/er/4'];
      for (const [size, key] of keys.entries()) await store.write(key, bytes(size), signal);
      expect((await listed(store)).map(({ key }) => key)).toEqual(keys);
      expect(await listed(store, 'data/')).toEqual([
        { key: 'data/00/1', size: 1 },
        { key: 'data/01/2', size: 2 },
      ]);
      expect(await listed(store, 'index/deep/')).toEqual([{ key: 'index/deep/er/4', size: 5 }]);
      expect(await listed(store, 'config/')).toEqual([]);
    });

    it('lists each of many objects once', async () => {
      const keys = Array.from({ length: 300 }, (_, i) => `snapshots/${String(i).padStart(3, '0')}`);
      await Promise.all(keys.map((key, i) => store.write(key, bytes(i % 7), signal)));
      expect((await listed(store, 'snapshots/')).map(({ key }) => key)).toEqual(keys);
    });

    it('lets go of a list that is left early', async () => {
      for (const key of ['a', 'b', 'c']) await store.write(key, bytes(1), signal);
      for await (const object of store.list('', signal)) {
        expect(object.size).toBe(1);
        break;
      }
      expect(await listed(store)).toHaveLength(3);
    });

    it('can be read, written and asked while it is being listed', async () => {
      for (let i = 0; i < 50; i++) await store.write(`index/${i}`, bytes(i), signal);
      for await (const { key, size } of store.list('index/', signal)) {
        expect((await store.read(key, undefined, signal)).length).toBe(size);
        await store.remove(key, signal);
      }
      expect(await listed(store)).toEqual([]);
    });

    it('lists whole objects only, while they are written and removed', async () => {
      const size = 3_000_000;
      const writing = Promise.all(
        ['a', 'b', 'c'].map(async (name) => {
          for (let i = 0; i < 5; i++) {
            await store.write(`data/${name}`, bytes(size), signal);
            await store.remove(`data/${name}`, signal);
          }
        }),
      );
      const written = writing.then(() => true);
      do {
        for (const object of await listed(store)) expect(object.size).toBe(size);
      } while (!(await Promise.race([written, immediately(false)])));
    });

    it('lets one of many writers of the same key win, whole', async () => {
      const contents = Array.from({ length: 10 }, (_, i) => new Uint8Array(500_000 + i).fill(i));
      await Promise.all(contents.map((content) => store.write('index/same', content, signal)));
      const [winner] = await store.read('index/same', { offset: 0, length: 1 }, signal);
      expect(
        Buffer.compare(await store.read('index/same', undefined, signal), contents[winner ?? -1] ?? bytes(0)),
      ).toBe(0);
      expect(await listed(store)).toHaveLength(1);
    });

    it('lets one of those win who write only where nothing is, if it can', async () => {
      const contents = Array.from({ length: 5 }, (_, i) => new Uint8Array(1000).fill(i));
      if (store.writeNew === undefined) return;
      const writeNew = store.writeNew.bind(store);
      const outcomes = await Promise.all(contents.map((content) => writeNew('config', content, signal)));
      expect(outcomes.filter((isMine) => isMine)).toHaveLength(1);
      expect(await store.read('config', undefined, signal)).toEqual(contents[outcomes.indexOf(true)]);
      expect(await writeNew('config', bytes(10), signal)).toBe(false);
      expect(await store.stat('config', signal)).toMatchObject({ size: 1000 });
    });

    it('names a local file that is the object, if it names one', async () => {
      await store.write('data/ab/abcd', bytes(1000), signal);
      const path = store.localPath?.('data/ab/abcd');
      if (path !== undefined) expect(new Uint8Array(await readFile(path))).toEqual(bytes(1000));
    });

    it('refuses keys that lead out of its place or could never be listed', async () => {
      for (const key of ['', '/', '/etc/x', '../x', 'a/../../x', 'a//b', 'a/', './a', 'a\0b', 'data/ab-tmp-12ab']) {
        await expect(store.write(key, bytes(1), signal)).rejects.toThrow(ours('internal'));
        await expect(stream(store, key, inPieces(bytes(1)))).rejects.toThrow(ours('internal'));
        await expect(store.read(key, undefined, signal)).rejects.toThrow(ours('internal'));
        await expect(store.remove(key, signal)).rejects.toThrow(ours('internal'));
      }
      expect(await listed(store)).toEqual([]);
    });

    it('does nothing for somebody who has given up', async () => {
      await store.write('a', bytes(1), signal);
      const gone = AbortSignal.abort();
      await expect(store.write('b', bytes(1), gone)).rejects.toThrow(ours('cancelled'));
      await expect(stream(store, 'b', inPieces(bytes(1)), gone)).rejects.toThrow(ours('cancelled'));
      await expect(store.read('a', undefined, gone)).rejects.toThrow(ours('cancelled'));
      await expect(store.stat('a', gone)).rejects.toThrow(ours('cancelled'));
      await expect(store.remove('a', gone)).rejects.toThrow(ours('cancelled'));
      await expect(listed(store, '', gone)).rejects.toThrow(ours('cancelled'));
      expect(await listed(store)).toEqual([{ key: 'a', size: 1 }]);
    });

    it('holds the old or the whole new object when a write is given up in the middle', async () => {
      await store.write('a', bytes(10), signal);
      const giveUp = new AbortController();
      const write = store.write('a', bytes(20_000_000), giveUp.signal);
      giveUp.abort();
      const outcome = await write.then(
        () => 20_000_000,
        () => undefined,
      );
      const { size } = await store.stat('a', signal);
      expect(size).toBeOneOf(outcome === undefined ? [10, 20_000_000] : [outcome]);
    });

    it('takes streams of any size, whatever their pieces', async () => {
      for (const size of [0, 1, 65_537, 20_000_000]) {
        const content = bytes(size);
        expect(await stream(store, 'data/ab/abcd', inPieces(content))).toBe(size);
        expect(await listed(store)).toEqual([{ key: 'data/ab/abcd', size }]);
        expect(Buffer.compare(await store.read('data/ab/abcd', undefined, signal), content)).toBe(0);
      }
    });

    it('has done with each piece of a stream before it asks for the next, if it says so', async () => {
      if (store.writesAtOnce !== true) return;
      const whole = bytes(3_000_000);
      const size = 300_000;
      const reused = new Uint8Array(size);
      const content = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < whole.length; at += size) {
          reused.set(whole.subarray(at, at + size));
          yield await Promise.resolve(reused);
          reused.fill(0);
        }
      };
      await stream(store, 'a', content());
      expect(Buffer.from(await store.read('a', undefined, signal)).equals(whole)).toBe(true);
    });

    it('replaces an object by a stream', async () => {
      await store.write('shop/new/a.sql.gz', bytes(100), signal);
      await stream(store, 'shop/new/a.sql.gz', inPieces(bytes(10)));
      expect(await store.read('shop/new/a.sql.gz', undefined, signal)).toEqual(bytes(10));
      expect(await listed(store)).toEqual([{ key: 'shop/new/a.sql.gz', size: 10 }]);
    });

    it('shows nothing of a stream that broke off, and throws what broke it', async () => {
      await store.write('old', bytes(10), signal);
      const failure = new Error('the dump broke off');
      const unlike = Object.assign(new Error('no such program'), { code: 'ENOENT' });
      await expect(stream(store, 'old', inPieces(bytes(20_000_000), failure))).rejects.toBe(failure);
      await expect(stream(store, 'new', inPieces(bytes(100), failure))).rejects.toBe(failure);
      await expect(stream(store, 'new', inPieces(bytes(0), unlike))).rejects.toBe(unlike);
      expect(await listed(store)).toEqual([{ key: 'old', size: 10 }]);
      expect(await store.read('old', undefined, signal)).toEqual(bytes(10));
    });

    it('shows nothing of a stream that was given up, and lets go of it', async () => {
      const giveUp = new AbortController();
      let pulled = 0;
      let isReleased = false;
      const endless = async function* () {
        try {
          for (;;) {
            if (++pulled === 300) giveUp.abort();
            yield await Promise.resolve(bytes(65_536));
          }
        } finally {
          isReleased = true;
        }
      };
      await expect(stream(store, 'a', endless(), giveUp.signal)).rejects.toThrow(ours('cancelled'));
      expect(isReleased).toBe(true);
      expect(await listed(store)).toEqual([]);
    });

    it('does not wait for a stream that gives no answer, once it was given up', async () => {
      const giveUp = new AbortController();
      const silent = async function* () {
        yield bytes(100);
        giveUp.abort();
        await new Promise(() => undefined);
      };
      await expect(stream(store, 'a', silent(), giveUp.signal)).rejects.toThrow(ours('cancelled'));
      expect(await listed(store)).toEqual([]);
    });

    it('takes several streams at once', async () => {
      const keys = ['a', 'b', 'c', 'd'];
      await Promise.all(keys.map((key, at) => stream(store, key, inPieces(bytes(3_000_000 + at)))));
      expect(await listed(store)).toEqual(keys.map((key, at) => ({ key, size: 3_000_000 + at })));
    });

    it('behaves as a map does', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
          const model = new Map<string, Uint8Array>();
          for await (const { key } of store.list('', signal)) await store.remove(key, signal);
          for (const step of steps) await follow(step, store, model);
          expect(await listed(store)).toEqual(listing(model, ''));
        }),
        { numRuns: 10 },
      );
    });
  });
}

type Step =
  | { readonly do: 'write'; readonly key: string; readonly size: number }
  | { readonly do: 'remove' | 'read' | 'stat'; readonly key: string }
  | { readonly do: 'range'; readonly key: string; readonly offset: number; readonly length: number }
  | { readonly do: 'list'; readonly prefix: string };

const anyKey = fc.constantFrom('config', 'data/00/a', 'data/00/b', 'data/ff/a', 'index/ñ', 'locks/ \n');
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('write' as const), key: anyKey, size: fc.nat(3000) }),
  fc.record({ do: fc.constantFrom('remove' as const, 'read' as const, 'stat' as const), key: anyKey }),
  fc.record({ do: fc.constant('range' as const), key: anyKey, offset: fc.nat(3000), length: fc.nat(3000) }),
  fc.record({ do: fc.constant('list' as const), prefix: fc.constantFrom('', 'data/', 'data/00/', 'keys/') }),
);

async function follow(step: Step, store: Store, model: Map<string, Uint8Array>): Promise<void> {
  switch (step.do) {
    case 'write':
      model.set(step.key, bytes(step.size));
      return store.write(step.key, bytes(step.size), signal);
    case 'remove':
      model.delete(step.key);
      return store.remove(step.key, signal);
    case 'list':
      expect(await listed(store, step.prefix)).toEqual(listing(model, step.prefix));
      return;
    case 'stat':
      expect(await outcomeOf(store.stat(step.key, signal))).toEqual(
        model.has(step.key) ? { key: step.key, size: model.get(step.key)?.length } : 'store-missing',
      );
      return;
    case 'read':
      expect(await outcomeOf(store.read(step.key, undefined, signal))).toEqual(model.get(step.key) ?? 'store-missing');
      return;
    case 'range':
      expect(await outcomeOf(store.read(step.key, step, signal))).toEqual(rangeOf(model.get(step.key), step));
  }
}

function rangeOf(content: Uint8Array | undefined, { offset, length }: { offset: number; length: number }) {
  if (content === undefined) return 'store-missing';
  return offset + length > content.length ? 'store-broken' : content.slice(offset, offset + length);
}

function listing(model: ReadonlyMap<string, Uint8Array>, prefix: string): StoredObject[] {
  return sorted([...model].map(([key, content]) => ({ key, size: content.length }))).filter(({ key }) =>
    key.startsWith(prefix),
  );
}

/**
 * What is being written is passed over, restic's own as well; after a day it is swept out.
 * @param folder where the objects lie, as files of their keys
 */
export async function expectSwept(store: Store & Required<Pick<Store, 'sweep'>>, folder: string): Promise<void> {
  const below = join(folder, 'data/ab');
  await store.write('data/ab/abcd', bytes(1), signal);
  for (const name of ['abcd-tmp-0123456789', 'ef-restic-temp-0a1b2c3d4e5f6071', 'new-tmp-01'])
    await writeFile(join(below, name), 'half');
  expect(await listed(store)).toEqual([{ key: 'data/ab/abcd', size: 1 }]);
  const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1000);
  for (const name of ['abcd', 'abcd-tmp-0123456789', 'ef-restic-temp-0a1b2c3d4e5f6071'])
    await utimes(join(below, name), longAgo, longAgo);
  await store.sweep(signal);
  expect((await readdir(below)).sort()).toEqual(['abcd', 'new-tmp-01']);

  // In a place that is shared, only what its caller takes for his own goes, wherever it lies.
  const shared = ['ours-tmp-01', 'theirs-tmp-01'].map((name) => join(folder, name));
  for (const path of shared) await writeFile(path, 'half');
  for (const path of shared) await utimes(path, longAgo, longAgo);
  await store.sweep(signal, (key) => key === 'ours');
  expect((await readdir(folder)).filter((name) => name.includes('-tmp-'))).toEqual(['theirs-tmp-01']);
}

/** Everything that is listed, sorted by key. */
export async function listed(store: Store, prefix = '', until = signal): Promise<StoredObject[]> {
  return sorted(await Array.fromAsync(store.list(prefix, until)));
}

function sorted(objects: readonly StoredObject[]): StoredObject[] {
  return objects.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** Writes a stream, which all of our stores take. */
export async function stream(
  store: Store,
  key: string,
  content: AsyncIterable<Uint8Array>,
  until = signal,
): Promise<number> {
  if (store.writeStream === undefined) throw new Error(`${store.location} takes no streams`);
  return store.writeStream(key, content, until);
}

/** All bytes in pieces of many sizes, none among them; then, if there is one, the failure. */
export async function* inPieces(content: Uint8Array, failure?: Error): AsyncIterable<Uint8Array> {
  const sizes = [1, 100_000, 0, 65_536, 1_000_003, 30_720];
  for (let at = 0, round = 0; at < content.length; round++) {
    const end = at + (sizes[round % sizes.length] ?? 1);
    yield await Promise.resolve(content.subarray(at, end));
    at = end;
  }
  if (failure !== undefined) throw failure;
}

async function outcomeOf<T>(answer: Promise<T>): Promise<T | ErrorCode> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RespaldoError) return error.code;
    throw error;
  }
}

/** An error of ours with this code. */
export function ours(code: ErrorCode): unknown {
  return expect.objectContaining({ name: 'RespaldoError', code });
}

/** Bytes that differ from place to place. */
export function bytes(size: number): Uint8Array {
  const content = new Uint8Array(size);
  for (let i = 0; i < size; i++) content[i] = (i * 31 + (i >>> 8)) & 0xff;
  return content;
}
