import { beforeEach, expect, test } from 'vitest';
import { damage } from '../../test/fixtures/damage.ts';
import { MortalStore } from '../../test/fixtures/mortal-store.ts';
import {
  asRead,
  findings,
  newRepository,
  NEVER,
  PASSWORD,
  readFiles,
  saveFiles,
} from '../../test/fixtures/repository.ts';
import { openRepository } from './index.ts';
import type { Repository } from './repository.ts';

const FILES = { '/a': 'one '.repeat(1000), '/b/c': 'two' };
const UPGRADE = 'upgrade_repo_v2';

let store: MortalStore;
let repository: Repository;
let copy: Uint8Array | undefined;
const options = {
  keepCopy: (config: Uint8Array) => {
    copy = config;
    return Promise.resolve();
  },
};

beforeEach(async () => {
  store = new MortalStore();
  repository = await newRepository(store, { version: 1 });
  copy = undefined;
});

const reopened = (): Promise<Repository> => openRepository(store, PASSWORD, {}, NEVER);

test('version 1 becomes version 2, with all that it holds', async () => {
  const snapshot = await saveFiles(repository, FILES);
  expect(repository.migrations().map(({ name }) => name)).toEqual([UPGRADE]);
  const before = await store.read('config', undefined, NEVER);
  await repository.migrate(UPGRADE, options, NEVER);
  expect(copy).toEqual(before);
  const upgraded = await reopened();
  expect(upgraded).toMatchObject({ version: 2, id: repository.id, polynomial: repository.polynomial });
  expect(upgraded.migrations()).toEqual([]);
  expect(await readFiles(upgraded, snapshot)).toEqual(asRead(FILES));
  const later = await saveFiles(upgraded, { ...FILES, '/d': 'three' });
  expect(await readFiles(upgraded, later)).toEqual(asRead({ ...FILES, '/d': 'three' }));
  expect(await findings(upgraded, true)).toEqual([]);
});

test('a damaged repository stays as it is', async () => {
  await saveFiles(repository, FILES);
  const [pack] = await Array.fromAsync(store.list('data/', NEVER));
  await damage(store, pack?.key ?? '', 'a lost end');
  await expect(repository.migrate(UPGRADE, options, NEVER)).rejects.toMatchObject({ code: 'repository-damaged' });
  expect((await reopened()).version).toBe(1);
});

test('one that does not apply, or that nobody knows, is refused', async () => {
  await expect(repository.migrate('s3_layout', options, NEVER)).rejects.toMatchObject({ code: 'usage' });
  await repository.migrate(UPGRADE, options, NEVER);
  const upgraded = await reopened();
  await expect(upgraded.migrate(UPGRADE, options, NEVER)).rejects.toMatchObject({ code: 'usage' });
});

test('nothing is changed before the copy is safe', async () => {
  const keepCopy = () => Promise.reject(new Error('no space'));
  await expect(repository.migrate(UPGRADE, { keepCopy }, NEVER)).rejects.toThrow('no space');
  expect((await reopened()).version).toBe(1);
});

test('killed after any step, the repository has one version or the other', async () => {
  const snapshot = await saveFiles(repository, FILES);
  const original = store;
  for (let step = 0, died = true; died; step++) {
    store = await original.copy();
    repository = await reopened();
    store.dieAfter(step);
    await repository.migrate(UPGRADE, options, NEVER).catch(() => undefined);
    died = store.isDead;
    store.revive();
    const left = await reopened();
    await left.unlock(true, NEVER);
    expect(await readFiles(left, snapshot)).toEqual(asRead(FILES));
    expect(await findings(left)).toEqual([]);
    if (left.version === 1) await left.migrate(UPGRADE, options, NEVER);
    expect((await reopened()).version).toBe(2);
    expect(step).toBeLessThan(20);
  }
});
