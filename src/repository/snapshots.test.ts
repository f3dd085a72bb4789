import { beforeEach, describe, expect, test } from 'vitest';
import { NEVER } from '../../test/fixtures/repository.ts';
import type { Snapshot, SnapshotFilter } from '../domain/snapshot.ts';
import { MemoryStore } from '../stores/memory.ts';
import { generateKey, Sealer } from './format/crypto.ts';
import { encodeSnapshot } from './format/snapshot-record.ts';
import { findSnapshot, selectSnapshots } from './snapshots.ts';
import { Objects } from './storage/objects.ts';

let store: MemoryStore;
let objects: Objects;
beforeEach(() => {
  store = new MemoryStore();
  objects = new Objects(store, new Sealer(generateKey()), 2);
});

async function put(time: string, about: Partial<Snapshot> = {}): Promise<string> {
  const record = { time, tree: 'a'.repeat(64), paths: ['/data'], hostname: 'db1', username: 'maria', ...about };
  return objects.save('snapshot', encodeSnapshot(record), NEVER);
}

const select = async (filter: SnapshotFilter) => (await selectSnapshots(objects, filter, NEVER)).map(({ id }) => id);
const find = async (text: string, filter: SnapshotFilter = {}) => (await findSnapshot(objects, text, filter, NEVER)).id;

describe('the list of snapshots', () => {
  test('is in the order of their instants, whatever their zones', async () => {
    const second = await put('2026-01-02T00:30:00+02:00');
    const third = await put('2026-01-01T22:30:00.000000001Z');
    const first = await put('2026-01-01T23:00:00.5+01:00');
    expect(await select({})).toEqual([first, second, third]);
  });

  test('is narrowed by hosts, paths and tags', async () => {
    const plain = await put('2026-01-01T00:00:00Z');
    const tagged = await put('2026-01-02T00:00:00Z', { tags: ['a', 'b'], paths: ['/data', '/etc'] });
    const other = await put('2026-01-03T00:00:00Z', { hostname: 'db2', tags: ['b'] });
    expect(await select({ hosts: ['db2', 'db3'] })).toEqual([other]);
    expect(await select({ paths: ['/etc', '/data'] })).toEqual([tagged]);
    expect(await select({ tags: [['a', 'b'], ['c']] })).toEqual([tagged]);
    expect(await select({ tags: [['b']] })).toEqual([tagged, other]);
    expect(await select({ tags: [['']] })).toEqual([plain]);
    expect(await select({ hosts: ['db1'], tags: [['b']] })).toEqual([tagged]);
  });

  test('is chosen by ids, each once', async () => {
    const first = await put('2026-01-01T00:00:00Z');
    const last = await put('2026-01-02T00:00:00Z');
    expect(await select({ ids: ['latest', first, first.slice(0, 8)] })).toEqual([first, last]);
  });

  test('leaves out a damaged record, if somebody wants to know of it', async () => {
    const [whole, damaged] = [await put('2026-01-01T00:00:00Z'), await put('2026-01-02T00:00:00Z')];
    await store.write(`snapshots/${damaged}`, Buffer.from('damaged'), NEVER);
    await expect(select({})).rejects.toMatchObject({ code: 'repository-damaged' });
    const told: string[] = [];
    const rest = await selectSnapshots(objects, {}, NEVER, (id) => told.push(id));
    expect([rest.map(({ id }) => id), told]).toEqual([[whole], [damaged]]);
  });

  test('leaves out what is removed while it is read, and what is no snapshot', async () => {
    const kept = await put('2026-01-01T00:00:00Z');
    const removed = await put('2026-01-02T00:00:00Z');
    await store.write('snapshots/notes.txt', Buffer.from('x'), NEVER);
    const read = store.read.bind(store);
    store.read = async (key, range, signal) => {
      if (key.endsWith(removed)) await store.remove(key, signal);
      return read(key, range, signal);
    };
    expect(await select({})).toEqual([kept]);
  });
});

describe('a snapshot is found', () => {
  test('by its id, or the beginning of it', async () => {
    const id = await put('2026-01-01T00:00:00Z');
    await put('2026-01-02T00:00:00Z');
    expect(await find(id)).toBe(id);
    expect(await find(id.slice(0, 12))).toBe(id);
  });

  test('even if another’s record is damaged', async () => {
    const id = await put('2026-01-01T00:00:00Z');
    await store.write(`snapshots/${'f'.repeat(64)}`, Buffer.from('rubbish'), NEVER);
    expect(await find(id)).toBe(id);
    await expect(find('latest')).rejects.toMatchObject({ code: 'repository-damaged' });
  });

  test('as the latest complete one that passes the filter', async () => {
    const old = await put('2026-01-01T00:00:00Z', { hostname: 'db2' });
    const good = await put('2026-01-02T00:00:00Z');
    const incomplete = await put('2026-01-03T00:00:00Z', { tags: ['incomplete'] });
    expect(await find('latest')).toBe(good);
    expect(await find('latest', { hosts: ['db2'] })).toBe(old);
    expect(await find('latest', { tags: [['incomplete']] })).toBe(incomplete);
  });

  test('or it is told why not', async () => {
    await expect(find('latest')).rejects.toMatchObject({
      code: 'snapshot-missing',
      message: 'there is no snapshot yet',
    });
    const id = await put('2026-01-01T00:00:00Z');
    await expect(find('latest', { hosts: ['x'] })).rejects.toMatchObject({ message: 'no snapshot passes the filter' });
    await expect(find('none')).rejects.toMatchObject({
      code: 'snapshot-missing',
      message: 'there is no snapshot none',
    });
    await expect(find(id.slice(0, 3))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('shorter') as string,
    });
  });

  test('only if it is the only one', async () => {
    const ids = new Map<string, string>();
    for (let i = 0; ; i++) {
      const id = await put('2026-01-01T00:00:00Z', { username: `${i}` });
      const twin = ids.get(id.slice(0, 4));
      ids.set(id.slice(0, 4), id);
      if (twin === undefined) continue;
      await expect(find(id.slice(0, 4))).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining('fits 2') as string,
      });
      expect(await find(twin)).toBe(twin);
      break;
    }
  });
});
