import { describe, expect, test } from 'vitest';
import { MemoryStore } from '../../stores/memory.ts';
import { generateKey, Sealer } from '../format/crypto.ts';
import { hashId, type Id } from '../format/id.ts';
import { encodeIndex } from '../format/index-file.ts';
import type { PackedBlob } from '../format/pack.ts';
import { loadIndex } from './load-index.ts';
import { Objects } from './objects.ts';

const signal = new AbortController().signal;
const sealer = new Sealer(generateKey());
const ids = [hashId(Buffer.from('a')), hashId(Buffer.from('b'))];

function makeBlobs(count: number, seed: string): PackedBlob[] {
  return Array.from({ length: count }, (_, i) => ({
    id: hashId(Buffer.from(`${seed} ${i}`)),
    type: 'data',
    offset: i * 100,
    length: 100,
    uncompressedLength: 0,
  }));
}

describe('loading the index', () => {
  const objects = () => new Objects(new MemoryStore(), sealer, 2);
  const file = (pack: Id, seed: string) => encodeIndex([{ id: pack, blobs: makeBlobs(10, seed) }]);

  test('reads all files, and knows which lists what', async () => {
    const store = objects();
    const a = await store.save('index', file(ids[0] ?? '', 'a'), signal);
    const b = await store.save('index', file(ids[1] ?? '', 'b'), signal);
    const index = await loadIndex(store, signal);
    expect(index.size).toBe(20);
    expect(new Set(index.indexIds)).toEqual(new Set([a, b]));
    expect(new Set([...index.packRows()].map(({ id, file }) => `${id} ${index.indexIds[file]}`))).toEqual(
      new Set([`${ids[0]} ${a}`, `${ids[1]} ${b}`]),
    );
    expect([0, 1].map((each) => index.isOverlapping(each))).toEqual([false, false]);
  });

  test('marks files that list the same pack', async () => {
    const store = objects();
    for (const seed of ['a', 'a', 'b']) await store.save('index', file(ids[seed === 'a' ? 0 : 1] ?? '', seed), signal);
    const index = await loadIndex(store, signal);
    expect(index.size).toBe(20);
    expect([0, 1, 2].filter((each) => index.isOverlapping(each))).toHaveLength(2);
  });

  test('fails for a damaged file, by name, or tells of it and goes on', async () => {
    const store = objects();
    const id = await store.save('index', Buffer.from('{"packs":[{}]}'), signal);
    await store.save('index', file(ids[0] ?? '', 'a'), signal);
    await expect(loadIndex(store, signal)).rejects.toMatchObject({
      code: 'repository-damaged',
      message: expect.stringContaining(id) as string,
    });
    const damaged: Id[] = [];
    const index = await loadIndex(store, signal, { onDamaged: (each) => damaged.push(each) });
    expect(damaged).toEqual([id]);
    expect(index.size).toBe(10);
  });

  test('looks again if files are replaced meanwhile', async () => {
    const store = objects();
    const old = await store.save('index', file(ids[0] ?? '', 'a'), signal);
    const load = store.load.bind(store);
    store.load = async (type, id, during) => {
      if (id === old) {
        await store.save('index', file(ids[1] ?? '', 'b'), during);
        await store.remove('index', old, during);
      }
      return load(type, id, during);
    };
    const index = await loadIndex(store, signal);
    expect([...index.packRows()].map(({ id }) => id)).toEqual([ids[1]]);
  });
});
