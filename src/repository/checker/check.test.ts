import { beforeEach, describe, expect, test } from 'vitest';
import { BareRepository } from '../../../test/fixtures/bare-repository.ts';
import { FaultyStore } from '../../../test/fixtures/faulty-store.ts';
import { NEVER, noise } from '../../../test/fixtures/repository.ts';
import { MemoryStore } from '../../stores/memory.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { listLocks } from '../storage/locks.ts';
import { check } from './check.ts';

const FILES = { '/folder/a': noise(1, 2000), '/folder/b': noise(2, 2000), '/other': 'other' };

let store: MemoryStore;
let repository: BareRepository;
let snapshot: Snapshot;
beforeEach(async () => {
  store = new MemoryStore();
  repository = new BareRepository(store);
  snapshot = await repository.save(FILES);
});

/** The key of the one object with this prefix, or of the data pack (the larger one) or tree pack. */
async function only(prefix: string, type?: 'data' | 'tree'): Promise<string> {
  const objects = await Array.fromAsync(store.list(prefix, NEVER));
  objects.sort((a, b) => a.size - b.size);
  const object = type === 'data' ? objects.at(-1) : objects[0];
  if (object === undefined || (type === undefined && objects.length > 1)) throw new Error(`not one ${prefix}`);
  return object.key;
}

async function change(key: string, edit: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  await store.write(key, edit(await store.read(key, undefined, NEVER)), NEVER);
}

function flip(at: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => bytes.with(at < 0 ? bytes.length + at : at, (bytes.at(at) ?? 0) ^ 0x10);
}

async function codes(readData: boolean): Promise<string[]> {
  return (await repository.findings(readData)).map(({ code }) => code);
}

describe('a check', () => {
  test('of a sound repository finds nothing, and leaves no lock', async () => {
    await repository.save({ ...FILES, '/folder/a': 'changed' });
    expect(await repository.findings()).toEqual([]);
    expect(await repository.findings(true)).toEqual([]);
    expect(await listLocks(repository.context.objects, NEVER)).toEqual([]);
  });

  test('that is left early leaves no lock', async () => {
    await store.remove(await only('data/', 'data'), NEVER);
    for await (const finding of check(repository.context, { readData: false }, NEVER)) {
      expect(finding.code).toBe('pack-missing');
      break;
    }
    expect(await listLocks(repository.context.objects, NEVER)).toEqual([]);
  });

  test('tells how far it is', async () => {
    const told: string[] = [];
    const onProgress = (done: number, total: number, what: string) => told.push(`${what} ${done}/${total}`);
    for await (const _ of check(repository.context, { readData: true, onProgress }, NEVER));
    expect(told).toEqual(['snapshots 0/1', 'snapshots 1/1', 'packs 1/2', 'packs 2/2']);
  });

  test('walks trees that snapshots share once', async () => {
    for (let i = 0; i < 20; i++) await repository.save({ ...FILES, '/other': `${i}` });
    let reads = 0;
    const read = store.read.bind(store);
    store.read = (key, range, signal) => {
      if (range !== undefined) reads += 1;
      return read(key, range, signal);
    };
    expect(await repository.findings()).toEqual([]);
    // 21 roots, each in a pack of its own, and one folder.
    expect(reads).toBe(22);
  });

  test('stops when it is told to', async () => {
    const stop = new AbortController();
    const onProgress = () => {
      stop.abort();
    };
    const checking = Array.fromAsync(check(repository.context, { readData: true, onProgress }, stop.signal));
    await expect(checking).rejects.toMatchObject({ code: 'cancelled' });
    expect(await listLocks(repository.context.objects, NEVER)).toEqual([]);
  });
});

describe('damage that every check finds', () => {
  test('a pack is missing: named, with the snapshots and a path that are hit', async () => {
    const key = await only('data/', 'data');
    await store.remove(key, NEVER);
    expect(await repository.findings()).toEqual([
      { severity: 'damage', code: 'pack-missing', subject: key.slice(8), message: `pack ${key.slice(8)} is missing` },
      {
        severity: 'damage',
        code: 'snapshot-hit',
        subject: snapshot.id,
        message: expect.stringContaining('cannot be restored whole: /folder/a is hit') as string,
      },
    ]);
  });

  test('a pack is missing, but all it held lies elsewhere, too: no snapshot is hit', async () => {
    const [index, pack] = [await only('index/'), await only('data/', 'data')];
    const bytes = await store.read(index, undefined, NEVER);
    await store.remove(index, NEVER);
    await repository.save(FILES);
    await store.write(index, bytes, NEVER);
    await store.remove(pack, NEVER);
    expect(await codes(false)).toEqual(['pack-missing']);
  });

  test('a pack is cut short', async () => {
    await change(await only('data/', 'data'), (bytes) => bytes.subarray(0, 1500));
    expect(await codes(false)).toEqual(['pack-truncated', 'snapshot-hit']);
    await change(await only('data/', 'data'), (bytes) => Buffer.concat([bytes, bytes]));
    expect(await codes(false)).toContain('pack-truncated');
  });

  test('a pack has grown', async () => {
    await change(await only('data/', 'data'), (bytes) => Buffer.concat([bytes, Buffer.from('x')]));
    expect(await codes(false)).toEqual(['pack-damaged']);
  });

  test('a pack with trees is missing', async () => {
    await store.remove(await only('data/', 'tree'), NEVER);
    const found = await repository.findings();
    expect(found.map(({ code }) => code)).toEqual(['pack-missing', 'tree-damaged', 'snapshot-hit']);
    expect(found.at(-1)?.message).toContain(': / is hit');
  });

  test('an index is gone: its blobs are missing, its packs unreferenced', async () => {
    await store.remove(await only('index/'), NEVER);
    expect((await codes(false)).sort()).toEqual([
      'blob-missing',
      'pack-unreferenced',
      'pack-unreferenced',
      'snapshot-hit',
    ]);
  });

  test('an index cannot be read', async () => {
    await change(await only('index/'), flip(50));
    expect(await codes(false)).toContain('index-damaged');
  });

  test('a snapshot’s record cannot be read; the others are checked', async () => {
    const key = await only('snapshots/');
    await repository.save({ '/b': 'b' });
    await change(key, flip(50));
    expect(await repository.findings()).toMatchObject([{ code: 'snapshot-damaged', subject: snapshot.id }]);
  });

  test('a tree is damaged', async () => {
    await change(await only('data/', 'tree'), flip(100));
    expect(await codes(false)).toEqual(['tree-damaged', 'snapshot-hit']);
  });
});

describe('damage that only reading the data finds', () => {
  test('a flipped byte in a blob: pack and blob are named', async () => {
    const key = await only('data/', 'data');
    await change(key, flip(100));
    expect(await codes(false)).toEqual([]);
    const found = await repository.findings(true);
    expect(found.map(({ code }) => code)).toEqual(['pack-damaged', 'blob-damaged', 'snapshot-hit']);
    expect(found[0]?.message).toContain(key.slice(8));
    expect(found[1]?.message).toMatch(new RegExp(`data blob [0-9a-f]{64} in pack ${key.slice(8)}`));
    expect(found[2]?.message).toContain('/folder/a');
  });

  test('a flipped byte in the header, which no blob minds', async () => {
    await change(await only('data/', 'data'), flip(-10));
    expect(await codes(true)).toEqual(['pack-damaged', 'pack-damaged']);
  });

  test('a pack that the store does not give: what it hits is told, but nobody calls it damaged', async () => {
    const pack = await only('data/', 'data');
    const broken = repository.in(
      new FaultyStore(store, (method, key) => (method === 'read' && key === pack ? 'before' : undefined)),
    );
    const found = await broken.findings(true);
    expect(found.map(({ code }) => code)).toEqual(['pack-unreadable', 'snapshot-hit']);
  });

  test('a pack under the name of another', async () => {
    const [data, tree] = [await only('data/', 'data'), await only('data/', 'tree')];
    const size = (await store.stat(tree, NEVER)).size;
    const bytes = await store.read(data, { offset: 0, length: size }, NEVER);
    await store.write(tree, bytes, NEVER);
    expect(await codes(true)).toEqual(
      expect.arrayContaining(['tree-damaged', 'pack-damaged', 'blob-damaged', 'snapshot-hit']),
    );
  });
});
