import { beforeEach, describe, expect, test } from 'vitest';
import { BareRepository } from '../../../test/fixtures/bare-repository.ts';
import { MortalStore } from '../../../test/fixtures/mortal-store.ts';
import { asRead, type Files, NEVER, noise } from '../../../test/fixtures/repository.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { PackBuilder } from '../format/pack.ts';
import { encodeIndex } from '../format/index-file.ts';
import type { PrunePlan } from '../repository.ts';
import { prune } from './prune.ts';
import { removeLocks } from '../storage/locks.ts';
import { packKey } from '../storage/objects.ts';

const KIB = 1024;

let store: MortalStore;
let repository: BareRepository;
beforeEach(() => {
  store = new MortalStore();
  repository = new BareRepository(store);
});

/** Keys in the store, without locks. */
async function keys(prefix: string): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix, NEVER))).map(({ key }) => key).sort();
}

async function stored(): Promise<number> {
  return (await Array.fromAsync(store.list('data/', NEVER))).reduce((sum, { size }) => sum + size, 0);
}

async function expectWhole(expected: readonly (readonly [Snapshot, Files])[]): Promise<void> {
  expect((await repository.findings()).filter(({ severity }) => severity !== 'note')).toEqual([]);
  for (const [snapshot, files] of expected) expect(await repository.read(snapshot)).toEqual(asRead(files));
}

/** Nothing left to do. */
const IDLE: Partial<PrunePlan> = { repackPacks: [], removePacks: [], unreferencedPacks: [] };

describe('a prune', () => {
  test('removes what no snapshot needs, and tells beforehand how much that is', async () => {
    const shared = { '/shared': noise(1, 300 * KIB) };
    const old = await repository.save({ ...shared, '/old': noise(2, 500 * KIB) });
    const recent = await repository.save({ ...shared, '/new': noise(3, 200 * KIB) });
    await repository.forget(old);
    const before = await stored();
    const plan = await repository.prune();
    const after = await stored();
    expect(plan.bytes).toMatchObject({ total: before, unusedAfter: 0 });
    expect(plan.bytes.freed).toBeGreaterThan(500 * KIB);
    // New packs have frames of their own.
    expect(before - after).toBeGreaterThan(plan.bytes.freed - 1000);
    expect(plan.bytes.used + plan.bytes.unused).toBe(plan.bytes.total);
    await expectWhole([[recent, { ...shared, '/new': noise(3, 200 * KIB) }]]);
    expect(await repository.findings()).toEqual([]);
    expect(await repository.prune()).toMatchObject(IDLE);
  });

  test('of a repository where everything was forgotten leaves nothing', async () => {
    await repository.forget(await repository.save({ '/a': noise(1, 100) }));
    const plan = await repository.prune();
    expect(plan.blobs).toEqual({ used: 0, unused: 2, duplicate: 0 });
    expect(await keys('data/')).toEqual([]);
    expect(await keys('index/')).toEqual([]);
  });

  test('changes nothing if the plan is refused', async () => {
    await repository.forget(await repository.save({ '/a': noise(1, 100) }));
    const before = await keys('');
    const plan = await repository.prune(0, () => false);
    expect(plan.removePacks).toHaveLength(2);
    expect(await keys('')).toEqual(before);
  });

  test('tolerates as much waste as it is told to', async () => {
    const keep = { '/keep': noise(1, 900 * KIB) };
    const first = await repository.save({ ...keep, '/waste': noise(2, 100 * KIB) });
    await repository.save(keep);
    await repository.forget(first);
    const lenient = await repository.prune(0.2);
    // Tree packs are always cleaned.
    expect(lenient.bytes.unusedAfter).toBeGreaterThan(100 * KIB);
    expect(await repository.prune(0.2)).toMatchObject(IDLE);
    const strict = await repository.prune(0.05);
    expect(strict.repackPacks).toHaveLength(1);
    expect(strict.bytes.unusedAfter).toBe(0);
  });

  test('puts many small packs together', async () => {
    const kept: [Snapshot, Files][] = [];
    for (let i = 0; i < 12; i++) {
      const files = { [`/${i}`]: noise(i, 2000) };
      kept.push([await repository.save(files), files]);
    }
    expect(await keys('data/')).toHaveLength(24);
    await repository.prune(1);
    expect(await keys('data/')).toHaveLength(2);
    expect(await keys('index/')).toHaveLength(1);
    await expectWhole(kept);
    expect(await repository.prune(1)).toMatchObject(IDLE);
  });

  test('removes packs that no index knows', async () => {
    const snapshot = await repository.save({ '/a': 'a' });
    const [index = ''] = await keys('index/');
    const bytes = await store.read(index, undefined, NEVER);
    const killed = await repository.save({ '/b': noise(1, 1000) });
    await repository.forget(killed);
    for (const key of await keys('index/')) if (key !== index) await store.remove(key, NEVER);
    expect(await store.read(index, undefined, NEVER)).toEqual(bytes);
    expect((await repository.findings()).map(({ severity, code }) => [severity, code])).toEqual([
      ['note', 'pack-unreferenced'],
      ['note', 'pack-unreferenced'],
    ]);
    const plan = await repository.prune();
    expect(plan.unreferencedPacks).toHaveLength(2);
    expect(await repository.findings()).toEqual([]);
    await expectWhole([[snapshot, { '/a': 'a' }]]);
  });

  test('stores version 1 uncompressed', async () => {
    repository = repository.in(store, 1);
    const text = 'compressible '.repeat(5000);
    const first = await repository.save({ '/a': text, '/b': noise(1, 1000) });
    const second = await repository.save({ '/a': text });
    await repository.forget(first);
    await repository.prune();
    await expectWhole([[second, { '/a': text }]]);
    expect(await stored()).toBeGreaterThan(text.length);
  });

  test('keeps one of several copies of a blob', async () => {
    const files = { '/a': noise(1, 5000) };
    const snapshot = await repository.save(files);
    const indexes = await keys('index/');
    const hidden = await Promise.all(indexes.map((key) => store.read(key, undefined, NEVER)));
    // A backup that does not see the index stores everything again.
    for (const key of indexes) await store.remove(key, NEVER);
    const again = await repository.save(files);
    for (const [i, key] of indexes.entries()) await store.write(key, hidden[i] ?? new Uint8Array(), NEVER);
    const plan = await repository.prune();
    expect(plan.blobs).toEqual({ used: 2, unused: 0, duplicate: 2 });
    expect(await keys('data/')).toHaveLength(2);
    await expectWhole([
      [snapshot, files],
      [again, files],
    ]);
  });

  test('is refused while anybody else uses the repository', async () => {
    await repository.prune(0, async () => {
      await expect(repository.prune()).rejects.toMatchObject({ code: 'repository-locked' });
      return true;
    });
  });

  test('takes mixed packs apart', async () => {
    const { sealer, objects } = repository.context;
    const files = { '/a': noise(1, 3000), '/b/c': noise(2, 3000) };
    const snapshot = await repository.save(files);
    const mixed = new PackBuilder('data', sealer, 1);
    for (const { id, blobs } of (await repository.context.loadIndex(NEVER)).packs()) {
      const bytes = await store.read(packKey(id), undefined, NEVER);
      for (const blob of blobs) mixed.addSealed(blob, bytes.subarray(blob.offset, blob.offset + blob.length));
    }
    for (const key of [...(await keys('data/')), ...(await keys('index/'))]) await store.remove(key, NEVER);
    const { id, bytes, blobs } = mixed.finish();
    await store.write(packKey(id), bytes, NEVER);
    await objects.save('index', encodeIndex([{ id, blobs }]), NEVER);
    await expectWhole([[snapshot, files]]);
    expect(await repository.prune(1)).toMatchObject({ repackPacks: [id], keepPacks: 0 });
    expect(await keys('data/')).toHaveLength(2);
    await expectWhole([[snapshot, files]]);
    expect(await repository.prune(1)).toMatchObject(IDLE);
  });

  test('compresses the trees of what was version 1 once', async () => {
    const files = { '/a': 'text '.repeat(1000), '/b/c': 'more '.repeat(1000) };
    const snapshot = await repository.in(store, 1).save(files);
    expect((await repository.prune(1)).repackPacks).toHaveLength(1);
    await expectWhole([[snapshot, files]]);
    expect(await repository.prune(1)).toMatchObject(IDLE);
  });
});

describe('a prune of a damaged repository removes nothing', () => {
  const files = { '/a': noise(1, 2000), '/b/c': noise(2, 2000) };
  let before: string[];

  beforeEach(async () => {
    await repository.forget(await repository.save({ '/waste': noise(9, 3000) }));
    await repository.save(files);
  });

  async function expectRefusal(message: string | RegExp): Promise<void> {
    before = await keys('');
    await expect(repository.prune()).rejects.toMatchObject({
      code: 'repository-damaged',
      message: expect.stringMatching(message) as string,
    });
    expect(await keys('')).toEqual(before);
  }

  test('if an index is gone', async () => {
    for (const key of (await keys('index/')).slice(0, 2)) await store.remove(key, NEVER);
    await expectRefusal('not pruned: .* in no index');
  });

  test('if an index cannot be read', async () => {
    const [key = ''] = await keys('index/');
    await store.write(key, Buffer.from('rubbish'), NEVER);
    await expectRefusal('index .* is damaged');
  });

  test('if a snapshot cannot be read', async () => {
    const [key = ''] = await keys('snapshots/');
    await store.write(key, Buffer.from('rubbish'), NEVER);
    await expectRefusal('snapshot .* is damaged');
  });

  test('if a pack that is needed is gone', async () => {
    await repository.prune();
    await repository.forget(await repository.save({ '/waste': noise(9, 3000) }));
    const needed = await neededPack('data');
    await store.remove(needed, NEVER);
    await expectRefusal('is needed, but its pack .* is missing or truncated');
  });

  test('if a pack that is needed is cut short', async () => {
    const needed = await neededPack('data');
    const bytes = await store.read(needed, undefined, NEVER);
    await store.write(needed, bytes.subarray(0, -1), NEVER);
    await expectRefusal('is needed, but its pack .* is missing or truncated');
  });

  test('if a tree is damaged', async () => {
    const needed = await neededPack('tree');
    const bytes = await store.read(needed, undefined, NEVER);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    await store.write(needed, bytes, NEVER);
    await expectRefusal('not pruned: tree blob');
  });

  /** The pack that the one snapshot needs. */
  async function neededPack(type: 'data' | 'tree'): Promise<string> {
    const sizes = new Map((await Array.fromAsync(store.list('data/', NEVER))).map(({ key, size }) => [key, size]));
    const candidates = [...sizes].filter(([, size]) => (type === 'data' ? size > 4000 : size < 1500));
    const needed: string[] = [];
    for (const [key] of candidates) {
      const bytes = await store.read(key, undefined, NEVER);
      await store.remove(key, NEVER);
      const found = await repository.findings();
      if (found.some(({ code }) => code === 'snapshot-hit')) needed.push(key);
      await store.write(key, bytes, NEVER);
    }
    const [key, ...others] = needed;
    if (key === undefined || others.length > 0) throw new Error('the test expects one such pack');
    return key;
  }
});

test('a damaged blob that is to be repacked stops the prune before its pack is lost', async () => {
  const files = { '/a': noise(1, 2000), '/b': noise(2, 2000) };
  await repository.forget(await repository.save(files));
  const snapshot = await repository.save({ '/a': noise(1, 2000) });
  for (const { key, size } of await Array.fromAsync(store.list('data/', NEVER))) {
    if (size < 4000) continue;
    const bytes = await store.read(key, undefined, NEVER);
    for (const at of [100, 2100]) bytes[at] = (bytes[at] ?? 0) ^ 1;
    await store.write(key, bytes, NEVER);
  }
  const before = await keys('data/');
  await expect(repository.prune()).rejects.toMatchObject({ code: 'repository-damaged' });
  expect((await keys('data/')).filter((key) => before.includes(key))).toEqual(before);
  const found = await repository.findings(true);
  expect(found.map(({ code }) => code)).toContain('snapshot-hit');
  await repository.forget(snapshot);
  await repository.prune();
  expect(await repository.findings(true)).toEqual([]);
});

describe('a prune that is killed after any of its steps', () => {
  const keep: Files = { '/shared': noise(1, 40 * KIB), '/text': 'line\n'.repeat(3000) };
  const recent: Files = { ...keep, '/deep/er': noise(5, 10 * KIB) };

  test('has lost nothing, and the next one finishes the work', async () => {
    const old = await repository.save({ ...keep, '/old': noise(2, 40 * KIB) });
    const second = await repository.save({ ...keep, '/deep/old': noise(3, 40 * KIB) });
    const last = await repository.save(recent);
    await repository.forget(old, await repository.save({ '/unrelated': noise(7, 3 * KIB) }));
    const expected = [
      [second, { ...keep, '/deep/old': noise(3, 40 * KIB) }],
      [last, recent],
    ] as const;
    const original = store;

    for (let step = 0, died = true; died; step++) {
      store = await original.copy();
      repository = repository.in(store);
      store.dieAfter(step);
      await repository.prune().catch(() => undefined);
      died = store.isDead;
      store.revive();
      await removeLocks(repository.context.objects, true, repository.context.clock, NEVER);

      await expectWhole(expected);
      await repository.prune();
      await expectWhole(expected);
      expect(await repository.findings()).toEqual([]);
      expect(await repository.prune()).toMatchObject(IDLE);
      expect(step).toBeLessThan(100);
    }
  });
});

describe('a prune whose lock was removed by others while the machine slept', () => {
  /** Sleeps for an hour at a moment of a prune. What is removed afterwards is remembered. */
  class SleepyStore extends MortalStore {
    time = Date.UTC(2026, 0, 1);
    readonly clock = { now: () => new Date(this.time), monotonic: () => this.time };
    sleepsAt: RegExp | undefined;
    removed: string[] | undefined;

    async sleep(): Promise<void> {
      this.sleepsAt = undefined;
      this.time += 60 * 60 * 1000;
      for await (const { key } of this.list('locks/', NEVER)) await super.remove(key, NEVER);
      this.removed = [];
    }

    override async write(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
      await super.write(key, bytes, signal);
      if (this.sleepsAt?.test(`write ${key}`) === true) await this.sleep();
    }

    override async remove(key: string, signal: AbortSignal): Promise<void> {
      this.removed?.push(key);
      await super.remove(key, signal);
      if (this.sleepsAt?.test(`remove ${key}`) === true) await this.sleep();
    }
  }

  const cases: [when: string, moment: RegExp | 'plan', spared: RegExp][] = [
    ['while it asked', 'plan', /^(index|data)/],
    ['after packs that no index knows', /^remove data/, /^index/],
    ['after a new index', /^write index/, /^(index|data)/],
    ['after an old index', /^remove index/, /^data/],
  ];
  test.each(cases)('%s removes nothing more', async (_, moment, spared) => {
    const sleepy = new SleepyStore();
    repository = repository.in(sleepy);
    const orphan = await repository.save({ '/orphan': noise(4, 1000) });
    for (const key of (await Array.fromAsync(sleepy.list('index/', NEVER))).map(({ key }) => key))
      await sleepy.remove(key, NEVER);
    await repository.forget(orphan);
    const old = await repository.save({ '/a': noise(1, 40 * KIB), '/old': noise(2, 40 * KIB) });
    await repository.save({ '/a': noise(1, 40 * KIB) });
    await repository.forget(old);

    if (moment !== 'plan') sleepy.sleepsAt = moment;
    const context = { ...repository.context, clock: sleepy.clock };
    const onPlan = async (): Promise<boolean> => {
      if (moment === 'plan') await sleepy.sleep();
      return true;
    };
    await expect(prune(context, { maxUnused: 0 }, onPlan, NEVER)).rejects.toMatchObject({ code: 'repository-locked' });
    expect(sleepy.removed?.filter((key) => spared.test(key))).toEqual([]);
  });
});
