import { beforeEach, describe, expect, test } from 'vitest';
import { BareRepository } from '../../../test/fixtures/bare-repository.ts';
import { damage, type Damage, DAMAGES } from '../../../test/fixtures/damage.ts';
import { MortalStore } from '../../../test/fixtures/mortal-store.ts';
import { asRead, type Files, NEVER, noise } from '../../../test/fixtures/repository.ts';
import type { Finding } from '../../domain/finding.ts';
import { isIncomplete, type Snapshot } from '../../domain/snapshot.ts';
import { packDamaged } from '../checker/findings.ts';
import { verifyPack } from '../checker/verify-pack.ts';
import { encodeIndex } from '../format/index-file.ts';
import { loadSnapshots } from '../snapshots.ts';
import { loadIndex } from '../storage/load-index.ts';
import { removeLocks } from '../storage/locks.ts';
import { objectKey, packIdOf, packKey } from '../storage/objects.ts';
import { repairIndex } from './repair-index.ts';
import { repairPacks } from './repair-packs.ts';
import { repairSnapshots } from './repair-snapshots.ts';

const FIRST: Files = { '/one/a': noise(1, 3000), '/one/b': noise(2, 3000), '/two/c': noise(3, 3000) };
const SECOND: Files = { '/one/a': noise(1, 3000), '/three/d': noise(4, 3000), '/three/deep/e': noise(5, 3000) };

let store: MortalStore;
let repository: BareRepository;
let snapshots: readonly [Snapshot, Snapshot];
/** Packs that were taken out, kept outside. */
let copies: Map<string, Uint8Array>;

beforeEach(async () => {
  store = new MortalStore();
  repository = new BareRepository(store);
  snapshots = [await repository.save(FIRST), await repository.save(SECOND)];
  copies = new Map();
});

async function keys(prefix: string): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix, NEVER))).map(({ key }) => key).sort();
}

const FORGET = { forget: true, dryRun: false };
const COPYING = {
  keepCopy: (id: string, bytes: Uint8Array) => {
    copies.set(id, Uint8Array.from(bytes));
    return Promise.resolve();
  },
};

/** Does what a check advises until it has nothing more to say. */
async function repair(): Promise<void> {
  await repairOnce();
  // A damaged pack that an interrupted repair had taken out of the index alone is in it again.
  if ((await damages()).length > 0) await repairOnce();
}

async function repairOnce(): Promise<void> {
  const { context } = repository;
  const codes = (found: readonly Finding[], code: RegExp): string[] =>
    found.flatMap(({ code: own, subject = '' }) => (code.test(own) ? [subject] : []));
  if (codes(await repository.findings(), /^index-damaged$/).length > 0)
    await repairIndex(context, { readAllPacks: false }, NEVER);
  const found = await damages();
  const packs = new Set(codes(found, /^pack-(damaged|truncated)$/));
  if (packs.size > 0) await repairPacks(context, [...packs], COPYING, NEVER);
  await repairIndex(context, { readAllPacks: false }, NEVER);
  const ids = codes(found, /^snapshot-damaged$/);
  if (ids.length > 0) await repairSnapshots(context, { ids }, FORGET, NEVER);
  await repairSnapshots(context, {}, FORGET, NEVER);
}

/** What `check --read-data` finds wrong; as here no threads are started for it, it takes a moment. */
async function damages(): Promise<Finding[]> {
  const found = (await repository.findings()).filter(({ severity }) => severity === 'damage');
  const { sealer } = repository.context;
  const index = await loadIndex(repository.context.objects, NEVER, { onDamaged: () => undefined });
  for (const { id, blobs } of index.packs()) {
    const bytes = await store.read(packKey(id), undefined, NEVER).catch(() => undefined);
    const { problems } = bytes === undefined ? { problems: [] } : verifyPack(sealer, id, bytes, blobs);
    found.push(...problems.map((why) => packDamaged(id, why)));
  }
  return found;
}

/** The files that are still there as they were, of each snapshot that there is. */
async function readAll(): Promise<Map<string, Record<string, string>>> {
  const all = await loadSnapshots(repository.context.objects, NEVER);
  const read = new Map<string, Record<string, string>>();
  for (const snapshot of all) read.set(snapshot.original ?? snapshot.id, await repository.read(snapshot));
  return read;
}

/** The content of a folder of files, the damaged one apart. */
function whole(read: Record<string, string> | undefined, files: Files): string[] {
  const expected = asRead(files);
  return Object.keys(expected).filter((path) => read?.[path] === expected[path]);
}

/** Everything in a repository that can be damaged, by name. */
async function victims(): Promise<[string, string][]> {
  const packs = await keys('data/');
  const types = new Map<string, string>();
  for (const { id, blobs } of (await repository.context.loadIndex(NEVER)).packs())
    types.set(packKey(id), blobs[0]?.type ?? '');
  const name = (key: string): string => `a pack of ${types.get(key) ?? 'nothing'} blobs`;
  return [
    ...packs.map((key): [string, string] => [name(key), key]),
    ...(await keys('index/')).map((key): [string, string] => ['an index', key]),
    ...(await keys('snapshots/')).map((key): [string, string] => ['a snapshot', key]),
  ];
}

describe.each(Object.keys(DAMAGES) as Damage[])('%s', (how) => {
  test('in whatever object is named by a check, repaired, and costs no more than it must', async () => {
    const original = store;
    for (const [what, key] of await victims()) {
      store = await original.copy();
      repository = repository.in(store);
      copies = new Map();
      await damage(store, key, how);
      // A snapshot that is gone is nobody's damage: it may have been forgotten.
      if (what === 'a snapshot' && how === 'no file at all') continue;
      const id = packIdOf(key);
      // An index that is gone cannot be named; what is not known any more is.
      const found = await damages();
      if (what === 'an index' && how === 'no file at all')
        expect(found.map(({ code }) => code)).toContain('blob-missing');
      else
        expect(
          found.map(({ subject }) => subject),
          `${what}: ${how}`,
        ).toContain(id);

      const before = await store.read(key, undefined, NEVER).catch(() => undefined);
      await repair();
      expect(await damages(), `${what}: ${how}`).toEqual([]);
      const read = await readAll();
      expectLittleLost(what, how, read, key);
      if (what.startsWith('a pack') && before !== undefined && before.length > 0)
        expect(copies.get(id)).toEqual(before);
    }
  });
});

/** Of a blob that is lost, what needs it may be; nothing else. */
function expectLittleLost(what: string, how: Damage, read: Map<string, Record<string, string>>, key: string): void {
  const [first, second] = [whole(read.get(snapshots[0].id), FIRST), whole(read.get(snapshots[1].id), SECOND)];
  const lost = Object.keys(FIRST).length + Object.keys(SECOND).length - first.length - second.length;
  if (what === 'an index') expect(lost).toBe(0);
  else if (what === 'a snapshot') {
    const isFirst = key === objectKey('snapshot', snapshots[0].id);
    expect([first.length, second.length]).toEqual(isFirst ? [0, 3] : [3, 0]);
  } else if (how === 'a flipped bit at the end') expect(lost).toBe(0);
  else if (how === 'a flipped bit' && what.includes('data')) expect(lost).toBeLessThanOrEqual(2);
  // One of the two snapshots needs none of the blobs that the other one has alone.
  else expect(Math.max(first.length, second.length)).toBeGreaterThanOrEqual(2);
}

describe('a repair that is killed after any of its steps', () => {
  test.each([
    ['data', 'a lost end'],
    ['data', 'no file at all'],
    ['tree', 'a flipped bit'],
    ['index', 'a flipped bit'],
    ['index', 'no file at all'],
  ] as const)('of %s: %s can be done again, and has lost nothing more', async (type, how) => {
    const victim = (await victims()).find(([what]) => what.includes(type))?.[1] ?? '';
    await damage(store, victim, how);
    const original = store;
    let expected: Map<string, Record<string, string>> | undefined;

    for (let step = 0, died = true; died; step++) {
      store = await original.copy();
      repository = repository.in(store);
      store.dieAfter(step);
      await repair().catch(() => undefined);
      died = store.isDead;
      store.revive();
      await removeLocks(repository.context.objects, true, repository.context.clock, NEVER);
      await repair();
      expect(await damages()).toEqual([]);
      const all = await loadSnapshots(repository.context.objects, NEVER);
      expect(all).toHaveLength(2);
      const read = await readAll();
      expect(read).toEqual((expected ??= read));
      expect(step).toBeLessThan(100);
    }
  });
});

test('a repaired snapshot remembers what it came from, and that something is missing', async () => {
  const [data = ''] = (await victims()).filter(([what]) => what.includes('data')).map(([, key]) => key);
  await damage(store, data, 'no file at all');
  await repairIndex(repository.context, { readAllPacks: false }, NEVER);
  const told: Finding[] = [];
  const plain = { forget: false, dryRun: false, onFinding: (finding: Finding) => void told.push(finding) };
  const dry = await repairSnapshots(repository.context, {}, { ...plain, dryRun: true }, NEVER);
  expect(dry.length).toBeGreaterThan(0);
  expect(await keys('snapshots/')).toHaveLength(2);
  told.length = 0;
  const [repaired] = await repairSnapshots(repository.context, {}, plain, NEVER);
  expect(told[0]).toMatchObject({ severity: 'damage', code: 'content-lost' });
  const all = await loadSnapshots(repository.context.objects, NEVER);
  const copy = all.find(({ id }) => id === repaired?.after);
  expect(copy).toMatchObject({ original: repaired?.before.id, tags: ['repaired', 'incomplete'] });
  expect(isIncomplete(copy ?? {})).toBe(true);
  // The old one is still there, so that a backup may bring back what it lacks.
  expect(all.some(({ id }) => id === repaired?.before.id)).toBe(true);
  await repairSnapshots(repository.context, {}, plain, NEVER);
  expect(await loadSnapshots(repository.context.objects, NEVER)).toHaveLength(all.length);
});

test('a snapshot of which nothing can be read is left alone unless it is to be forgotten', async () => {
  const index = await repository.context.loadIndex(NEVER);
  const root = index.find('tree', snapshots[0].tree)?.pack ?? '';
  await damage(store, packKey(root), 'no bytes at all');
  await repairPacks(repository.context, [root], COPYING, NEVER);
  const options = { forget: false, dryRun: false };
  expect(await repairSnapshots(repository.context, {}, options, NEVER)).toContainEqual({
    before: { id: snapshots[0].id },
    unreadable: true,
  });
  expect(await keys('snapshots/')).toContain(objectKey('snapshot', snapshots[0].id));
  await repairSnapshots(repository.context, {}, FORGET, NEVER);
  expect(await keys('snapshots/')).not.toContain(objectKey('snapshot', snapshots[0].id));
});

test('an index that lies is made anew from the packs', async () => {
  const { objects } = repository.context;
  const listed = [...(await repository.context.loadIndex(NEVER)).packs()];
  for (const key of await keys('index/')) await store.remove(key, NEVER);
  const wrong = listed.map(({ id, blobs }) => ({
    id,
    blobs: blobs.map((blob) => ({ ...blob, id: blob.id.replace(/^./, '0') })),
  }));
  await objects.save('index', encodeIndex(wrong), NEVER);
  expect(await damages()).not.toEqual([]);
  const { damagedPacks } = await repairIndex(repository.context, { readAllPacks: true }, NEVER);
  expect(damagedPacks).toEqual([]);
  expect(await damages()).toEqual([]);
  expect(await readAll()).toEqual(
    new Map([
      [snapshots[0].id, asRead(FIRST)],
      [snapshots[1].id, asRead(SECOND)],
    ]),
  );
});

test('what a damaged pack alone could tell stays in the index', async () => {
  const [data = ''] = (await victims()).filter(([what]) => what.includes('data')).map(([, key]) => key);
  await damage(store, data, 'a flipped bit at the end');
  const told: Finding[] = [];
  const options = { readAllPacks: true, onFinding: (finding: Finding) => void told.push(finding) };
  const { damagedPacks } = await repairIndex(repository.context, options, NEVER);
  expect(damagedPacks).toEqual([packIdOf(data)]);
  expect(told.map(({ message }) => message).join()).toContain('can be read, and `repair packs` saves them');
  expect((await readAll()).get(snapshots[0].id)).toEqual(asRead(FIRST));
});

describe('packs', () => {
  test('that nobody knows, or whose ids are not whole, are refused', async () => {
    await expect(repairPacks(repository.context, ['abcd'], COPYING, NEVER)).rejects.toMatchObject({ code: 'usage' });
    await expect(repairPacks(repository.context, ['0'.repeat(64)], COPYING, NEVER)).rejects.toMatchObject({
      code: 'store-missing',
    });
  });

  test('stay where they are if no copy of them can be kept', async () => {
    const [data = ''] = await keys('data/');
    const before = await keys('');
    const keepCopy = () => Promise.reject(new Error('no space'));
    await expect(repairPacks(repository.context, [packIdOf(data)], { keepCopy }, NEVER)).rejects.toThrow('no space');
    expect(await keys('')).toEqual(before);
  });
});
