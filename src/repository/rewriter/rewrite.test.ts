import { beforeEach, describe, expect, test } from 'vitest';
import { BareRepository } from '../../../test/fixtures/bare-repository.ts';
import { MortalStore } from '../../../test/fixtures/mortal-store.ts';
import { asRead, type Files, NEVER, noise } from '../../../test/fixtures/repository.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { hashId } from '../format/id.ts';
import { encodeSnapshot } from '../format/snapshot-record.ts';
import { loadSnapshots } from '../snapshots.ts';
import { tag } from '../tags.ts';
import { BlobWriter } from '../storage/blob-writer.ts';
import { removeLocks } from '../storage/locks.ts';
import { rewrite } from './rewrite.ts';

const FIRST: Files = { '/a/secret': noise(1, 2000), '/a/public': noise(2, 2000), '/b': 'text' };
const SECOND: Files = { '/a/deep/SECRET': noise(3, 2000), '/c': 'more' };
const PUBLIC: Files = { '/a/public': noise(2, 2000), '/b': 'text' };
const BOTH = { forget: true, dryRun: false };

let store: MortalStore;
let repository: BareRepository;
let snapshots: readonly [Snapshot, Snapshot];
beforeEach(async () => {
  store = new MortalStore();
  repository = new BareRepository(store);
  const [first, second] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-02T00:00:00Z')];
  snapshots = [await repository.save(FIRST, { time: first }), await repository.save(SECOND, { time: second })];
});

const all = (): Promise<Snapshot[]> => loadSnapshots(repository.context.objects, NEVER);

describe('a rewrite', () => {
  test('leaves out what is excluded, and remembers which snapshot it was', async () => {
    const changed = await rewrite(repository.context, {}, { exclude: ['secret'] }, BOTH, NEVER);
    expect(changed.map(({ before }) => before.id)).toContain(snapshots[0].id);
    const [first] = await all();
    expect(await repository.read(first ?? snapshots[0])).toEqual(asRead(PUBLIC));
    expect(first).toMatchObject({ original: snapshots[0].id, time: snapshots[0].time });
    await repository.prune();
    expect(await repository.findings()).toEqual([]);
  });

  test('looks at the case of letters only where it is asked to', async () => {
    await rewrite(repository.context, {}, { excludeAnyCase: ['secret'] }, BOTH, NEVER);
    const [first, second] = await all();
    expect(await repository.read(first ?? snapshots[0])).toEqual(asRead(PUBLIC));
    expect(await repository.read(second ?? snapshots[1])).toEqual(asRead({ '/c': 'more' }));
  });

  test('of its content leaves no proof of it, and one of its host leaves it', async () => {
    await tag(repository.context, {}, { add: ['proven', 'daily'], remove: [] }, NEVER);
    await rewrite(repository.context, {}, { exclude: ['secret'] }, BOTH, NEVER);
    expect((await all()).map(({ tags }) => tags)).toEqual([['daily'], ['proven', 'daily']]);
    await rewrite(repository.context, {}, { hostname: 'other' }, BOTH, NEVER);
    expect((await all()).map(({ tags }) => tags)).toEqual([['daily'], ['proven', 'daily']]);
  });

  test('is refused where there is nothing to change, or a pattern is malformed', async () => {
    for (const change of [{}, { exclude: ['[a'] }, { hostname: '' }])
      await expect(rewrite(repository.context, {}, change, BOTH, NEVER)).rejects.toMatchObject({ code: 'usage' });
  });

  test('does not lose what this version does not know', async () => {
    const { context } = repository;
    const node = '{"name":"x","type":"file","size":0,"content":[],"later":12345678901234567890}';
    const tree = Buffer.from(`{"nodes":[${node},${node.replace('"x"', '"y"')}]}\n`);
    const writer = new BlobWriter(context, NEVER);
    await writer.add('tree', hashId(tree), tree);
    await writer.flush();
    const { id: _, ...record } = { ...snapshots[0], tree: hashId(tree) };
    const id = await context.objects.save('snapshot', encodeSnapshot(record), NEVER);
    await expect(rewrite(context, { ids: [id] }, { exclude: ['x'] }, BOTH, NEVER)).rejects.toMatchObject({
      code: 'repository-unsupported',
    });
    // Where nothing in it changes it may stay as it is.
    await rewrite(context, { ids: [id] }, { exclude: ['z'], summary: true }, BOTH, NEVER);
    expect((await all()).map((snapshot) => snapshot.tree)).toContain(hashId(tree));
  });

  test('stops at a tree that is damaged, before anything is replaced', async () => {
    for (const { key, size } of await Array.fromAsync(store.list('data/', NEVER)))
      if (size < 1500) await store.write(key, Buffer.alloc(size), NEVER);
    await expect(rewrite(repository.context, {}, { exclude: ['secret'] }, BOTH, NEVER)).rejects.toMatchObject({
      code: 'repository-damaged',
    });
    expect((await all()).map(({ id }) => id).sort()).toEqual(snapshots.map(({ id }) => id).sort());
  });
});

test('a rewrite that is killed after any of its steps can be done again, and has lost nothing', async () => {
  const original = store;
  for (let step = 0, died = true; died; step++) {
    store = await original.copy();
    repository = repository.in(store);
    store.dieAfter(step);
    await rewrite(repository.context, {}, { excludeAnyCase: ['secret'] }, BOTH, NEVER).catch(() => undefined);
    died = store.isDead;
    store.revive();
    await removeLocks(repository.context.objects, true, repository.context.clock, NEVER);
    expect((await repository.findings()).filter(({ severity }) => severity === 'damage')).toEqual([]);
    // Each is there as it was, or as it is to be, or both.
    for (const snapshot of await all()) {
      const files =
        (snapshot.original ?? snapshot.id) === snapshots[0].id ? [FIRST, PUBLIC] : [SECOND, { '/c': 'more' }];
      expect(files.map(asRead)).toContainEqual(await repository.read(snapshot));
    }
    await rewrite(repository.context, {}, { excludeAnyCase: ['secret'] }, BOTH, NEVER);
    const [first, second, ...others] = await all();
    expect(others).toEqual([]);
    expect(await repository.read(first ?? snapshots[0])).toEqual(asRead(PUBLIC));
    expect(await repository.read(second ?? snapshots[1])).toEqual(asRead({ '/c': 'more' }));
    expect(step).toBeLessThan(100);
  }
});
