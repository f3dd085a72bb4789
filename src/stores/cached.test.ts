import { createHash } from 'node:crypto';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../clock.ts';
import { CountingStore } from '../../test/fixtures/counting-store.ts';
import { CachedStore } from './cached.ts';
import { listCaches, openCache, removeOldCaches } from './caches.ts';
import { MemoryStore } from './memory.ts';
import type { Store } from './store.ts';

const signal = new AbortController().signal;
const ID = 'ab'.repeat(32);
const DAY = 24 * 60 * 60 * 1000;

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const pack = (text: string) => `data/${hashOf(text).slice(0, 2)}/${hashOf(text)}`;
const index = (text: string) => `index/${hashOf(text)}`;
const snapshot = (text: string) => `snapshots/${hashOf(text)}`;
const bytes = (text: string) => Buffer.from(text);

let base: string;
let problems: string[];
let inner: CountingStore;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'respaldo-cache-'));
  problems = [];
  inner = new CountingStore(new MemoryStore());
});
afterEach(async () => {
  await chmod(base, 0o700);
  await rm(base, { recursive: true, force: true });
});

const open = async (store: Store = inner) => {
  const onProblem = (error: unknown) => problems.push(String(error));
  return new CachedStore(store, await openCache(join(base, 'caches'), ID, systemClock, onProblem));
};
const kept = (key: string) => {
  const [folder = ''] = key.split('/');
  const name = key.slice(key.lastIndexOf('/') + 1);
  return join(base, 'caches', ID, folder, name.slice(0, 2), name);
};
const read = async (store: Store, key: string, range?: { offset: number; length: number }) =>
  Buffer.from(await store.read(key, range, signal)).toString();
const put = (key: string, text: string) => inner.write(key, bytes(text), signal);

describe('A store with a cache', () => {
  it('reads an index, a snapshot and a pack once, also in another process', async () => {
    const keys = [index('one'), snapshot('one'), pack('one')];
    for (const key of keys) await put(key, 'one');
    for (const store of [await open(), await open()]) {
      for (const key of keys) expect(await read(store, key)).toBe('one');
      expect(await read(store, pack('one'), { offset: 1, length: 2 })).toBe('ne');
    }
    expect(inner.reads).toEqual(keys);
  });

  it('brings the whole of a pack for its first part, once for all who ask meanwhile', async () => {
    const key = pack('some longer text');
    await put(key, 'some longer text');
    const store = await open();
    const parts = [0, 5, 12].map((offset) => read(store, key, { offset, length: 4 }));
    expect(await Promise.all(parts)).toEqual(['some', 'long', 'text']);
    expect(inner.reads).toEqual([key]);
    const local = store.localPath(key) ?? '';
    expect(await readFile(local, 'utf8')).toBe('some longer text');
  });

  it('gives parts in buffers of their own, which may be handed on', async () => {
    const key = pack('some text');
    await put(key, 'some text');
    const store = await open();
    for (let i = 0; i < 2; i++) {
      const part = await store.read(key, { offset: 5, length: 4 }, signal);
      expect(part.byteLength).toBe(part.buffer.byteLength);
    }
  });

  it('keeps what is written through it, after it is in the store', async () => {
    const store = await open();
    for (const key of [index('new'), snapshot('new'), pack('new')]) await store.write(key, bytes('new'), signal);
    for (const key of [index('new'), snapshot('new'), pack('new')]) {
      expect(await read(store, key)).toBe('new');
      expect(await read(inner, key)).toBe('new');
    }
    expect(inner.reads).toHaveLength(3);
    inner.write = () => Promise.reject(new Error('no'));
    await expect(store.write(index('never'), bytes('never'), signal)).rejects.toThrow('no');
    await expect(stat(kept(index('never')))).rejects.toThrow('ENOENT');
  });

  it('leaves config, keys and locks in the store alone', async () => {
    const store = await open();
    for (const key of ['config', `keys/${hashOf('x')}`, `locks/${hashOf('x')}`]) {
      await store.write(key, bytes('x'), signal);
      await read(store, key);
      await read(store, key);
    }
    expect(inner.reads).toHaveLength(6);
    expect(await readdir(join(base, 'caches', ID))).toEqual(['version']);
  });

  const damages: Record<string, (path: string) => Promise<void>> = {
    'has other bytes': (path) => writeFile(path, 'something else'),
    'was cut off': (path) => truncate(path, 3),
    'is too long': (path) => appendFile(path, 'more'),
    'is empty': (path) => truncate(path, 0),
    'is a folder': async (path) => {
      await rm(path);
      await mkdir(path);
    },
  };
  it.each(Object.entries(damages))('reads from the store again what %s, and says nothing', async (_, damage) => {
    const keys = [index('content'), snapshot('content'), pack('content')];
    for (const key of keys) await put(key, 'content');
    const before = await open();
    for (const key of keys) await read(before, key);
    for (const key of keys) await damage(kept(key));
    const store = await open();
    for (const key of keys) expect(await read(store, key)).toBe('content');
    expect(await read(store, pack('content'), { offset: 3, length: 4 })).toBe('tent');
    expect(problems.filter((problem) => !problem.includes('EISDIR'))).toEqual([]);
  });

  it('reads on from the store when the file of a pack goes away in the middle', async () => {
    const key = pack('some text');
    await put(key, 'some text');
    const store = await open();
    await read(store, key, { offset: 0, length: 4 });
    await rm(kept(key));
    expect(await read(store, key, { offset: 5, length: 4 })).toBe('text');
    expect(store.localPath(key)).toBeUndefined();
  });

  it('does not keep what is damaged in the store, and hands it on as it is', async () => {
    const keys = [index('right'), pack('right')];
    for (const key of keys) await put(key, 'wrong');
    const store = await open();
    for (const key of keys) expect(await read(store, key)).toBe('wrong');
    for (const key of keys) await expect(stat(kept(key))).rejects.toThrow('ENOENT');
    for (const key of keys) await put(key, 'right');
    for (const key of keys) expect(await read(store, key)).toBe('right');
  });

  it('knows afresh what the store holds, whatever it kept before', async () => {
    const keys = [index('x'), snapshot('x'), pack('x')];
    for (const key of keys) await put(key, 'x');
    const store = await open();
    for (const key of keys) await read(store, key);
    for (const key of keys) await put(key, 'damaged');
    const fresh = store.afresh();
    for (const key of keys) expect(await read(fresh, key)).toBe('damaged');
    await put(pack('x'), 'x');
    const later = store.afresh();
    const before = inner.reads.length;
    for (let i = 0; i < 3; i++) expect(await read(later, pack('x'), { offset: 0, length: 1 })).toBe('x');
    expect(inner.reads).toHaveLength(before + 1);
  });

  it('tells as the store does of what is missing, and of what is too short', async () => {
    const store = await open();
    for (const key of [index('none'), pack('none')])
      await expect(read(store, key)).rejects.toMatchObject({ code: 'store-missing' });
    await put(pack('short'), 'short');
    for (let i = 0; i < 2; i++)
      await expect(read(store, pack('short'), { offset: 2, length: 10 })).rejects.toMatchObject({
        code: 'store-broken',
      });
  });

  it('drops what vanished from the store when it lists, and what it removes', async () => {
    const store = await open();
    const keys = ['a', 'b', 'c'].flatMap((text) =>
      [index(text), snapshot(text), pack(text)].map((key) => ({ key, text })),
    );
    for (const { key, text } of keys) await store.write(key, bytes(text), signal);
    for (const key of [index('a'), snapshot('a'), pack('a')]) await inner.remove(key, signal);
    for (const key of [index('b'), snapshot('b'), pack('b')]) await store.remove(key, signal);
    for (const folder of ['data/', 'index/', 'snapshots/']) await Array.fromAsync(store.list(folder, signal));
    for (const { key, text } of keys) {
      const there = await stat(kept(key)).then(
        () => true,
        () => false,
      );
      expect([key, there]).toEqual([key, text === 'c']);
    }
  });

  it('drops nothing for a list that was broken off', async () => {
    const store = await open();
    for (const text of ['a', 'b']) await store.write(index(text), bytes(text), signal);
    for await (const _ of store.list('index/', signal)) break;
    await Promise.all(['a', 'b'].map((text) => stat(kept(index(text)))));
  });

  it('drops on demand what is not wanted, and what a killed process was writing a day ago', async () => {
    const store = await open();
    for (const text of ['a', 'b']) await store.write(pack(text), bytes(text), signal);
    const [old, young] = [`${kept(pack('a'))}-tmp-1`, `${kept(pack('a'))}-tmp-2`];
    for (const path of [old, young]) await writeFile(path, 'half');
    await utimes(old, new Date(0), new Date(0));
    await store.retain('data/', (key) => key === pack('a'));
    await stat(kept(pack('a')));
    await stat(young);
    await expect(stat(kept(pack('b')))).rejects.toThrow('ENOENT');
    await expect(stat(old)).rejects.toThrow('ENOENT');
  });

  it('goes on without it when it cannot be written, and says so once', async () => {
    const store = await open();
    await mkdir(join(base, 'caches', ID, 'index'));
    for (const folder of ['data', 'snapshots']) await writeFile(join(base, 'caches', ID, folder), 'in the way');
    for (const key of [pack('a'), snapshot('a'), index('a')]) {
      await store.write(key, bytes('a'), signal);
      for (let i = 0; i < 2; i++) expect(await read(store, key)).toBe('a');
      if (key === pack('a')) expect(await read(store, key, { offset: 0, length: 1 })).toBe('a');
    }
    expect(problems).toHaveLength(1);
  });

  it('is for the eyes of its owner alone', async () => {
    const store = await open();
    await store.write(pack('a'), bytes('a'), signal);
    const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect(await modeOf(kept(pack('a')))).toBe('600');
    for (const folder of ['caches', `caches/${ID}`, `caches/${ID}/data`])
      expect(await modeOf(join(base, folder))).toBe('700');
  });

  it('may be shared by many who read and write the same at once', async () => {
    const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`);
    for (const text of texts) await put(pack(text), text);
    const stores = await Promise.all([1, 2, 3, 4].map(() => open()));
    await Promise.all(
      stores.flatMap((store) =>
        texts.map(async (text) => {
          expect(await read(store, pack(text), { offset: 0, length: 5 })).toBe('text ');
          expect(await read(store, pack(text))).toBe(text);
        }),
      ),
    );
    expect(problems).toEqual([]);
  });
});

describe('The folder of caches', () => {
  const folder = () => join(base, 'caches');
  const other = 'cd'.repeat(32);

  it('says that programs need not back it up', async () => {
    await open();
    const tag = await readFile(join(folder(), 'CACHEDIR.TAG'), 'utf8');
    expect(tag).toMatch(/^Signature: 8a477f597d28d172789f06886806bc55/);
  });

  it('lists what there is of which repository, and nothing where there is nothing', async () => {
    expect(await listCaches(folder())).toEqual([]);
    const store = await open();
    await store.write(pack('some text'), bytes('some text'), signal);
    await mkdir(join(folder(), 'compiled'));
    const [only, ...others] = await listCaches(folder());
    expect(only).toMatchObject({ repositoryId: ID, size: 'some text'.length + 1 });
    expect(others).toEqual([]);
  });

  it('loses those that nobody used for 30 days when another is opened', async () => {
    const unused = join(folder(), other);
    await mkdir(join(unused, 'data'), { recursive: true });
    const ago = (days: number) => new Date(systemClock.now().getTime() - days * DAY);
    await utimes(unused, ago(29), ago(29));
    await open();
    await stat(unused);
    await utimes(unused, ago(31), ago(31));
    await open();
    await expect(stat(unused)).rejects.toThrow('ENOENT');
  });

  it('is cleaned of what is older than asked, and of nothing that is no cache', async () => {
    await open();
    const foreign = join(folder(), 'foreign');
    await mkdir(foreign);
    for (const path of [foreign, join(folder(), ID)]) await utimes(path, new Date(0), new Date(0));
    expect(await removeOldCaches(folder(), 1, systemClock)).toEqual([ID]);
    expect((await readdir(folder())).sort()).toEqual(['CACHEDIR.TAG', 'foreign']);
  });

  it('refuses a cache of a later version', async () => {
    await open();
    await writeFile(join(folder(), ID, 'version'), '2');
    await expect(open()).rejects.toMatchObject({ code: 'usage' });
  });
});
