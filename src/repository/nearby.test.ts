import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CountingStore } from '../../test/fixtures/counting-store.ts';
import { findings, NEVER, newRepository, PASSWORD, readFiles, saveFiles } from '../../test/fixtures/repository.ts';
import { systemClock } from '../clock.ts';
import { MemoryStore } from '../stores/memory.ts';
import { withCache } from '../stores/index.ts';
import { openRepository } from './index.ts';
import type { Repository, Saved } from './repository.ts';

const FILE_COUNT = 200;
/** Folders, so that there are trees to walk. */
const FILES = Object.fromEntries(
  Array.from({ length: FILE_COUNT }, (_, i) => [`/folder ${i % 20}/below ${i % 40}/file ${i}`, `content ${i}`]),
);
const CHANGES = 5;

let original: MemoryStore;
let folder: string;
let far: MemoryStore;
let complaints: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-nearby-'));
  for (const [path, content] of Object.entries(FILES)) {
    await mkdir(join(folder, 'data', dirname(path)), { recursive: true });
    await writeFile(join(folder, 'data', path), content);
  }
  original = new MemoryStore();
  const repository = await newRepository(original);
  for (let i = 0; i < CHANGES; i++) {
    await writeFile(join(folder, 'data/folder 7/below 7/file 7'), `change ${i}`);
    await backup(repository);
  }
  await repository.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  complaints = [];
  far = await copyOf(original);
  await rm(join(folder, 'caches'), { recursive: true, force: true });
});

async function copyOf(store: MemoryStore): Promise<MemoryStore> {
  const copy = new MemoryStore();
  for await (const { key } of store.list('', NEVER))
    await copy.write(key, await store.read(key, undefined, NEVER), NEVER);
  return copy;
}

/** Of the folder of files, compared with the latest snapshot if there is one. */
async function backup(repository: Repository): Promise<Saved> {
  const parent = (await repository.snapshots({}, NEVER)).at(-1);
  const selection = { exclude: [], oneFileSystem: false, excludeCaches: false };
  const tree = { kind: 'local-tree', targets: ['data'], workingDirectory: folder, selection } as const;
  const about = { hostname: 'host', username: 'maria', paths: ['/data'], tags: [], excludes: [] };
  const time = systemClock.now();
  return repository.save(Readable.from([tree]), { ...about, time, ...(parent && { parent }) }, {}, NEVER);
}

/** What a command of its own reads from the store, beyond what opening takes. */
async function readsOf(work: (repository: Repository) => Promise<unknown>, cached: boolean): Promise<string[]> {
  const store = new CountingStore(far);
  const onProblem = (message: string) => void complaints.push(message);
  const cache = (inner: typeof store, id: string) =>
    withCache(inner, id, { folder: join(folder, 'caches'), onProblem });
  const repository = await openRepository(
    store,
    PASSWORD,
    cached ? { cache: () => cache(store, repositoryId) } : {},
    NEVER,
  );
  const opened = store.reads.length;
  try {
    await work(repository);
  } finally {
    await repository.close();
  }
  return store.reads.slice(opened);
}
const repositoryId = 'ab'.repeat(32);

const verbs = {
  snapshots: (repository) => repository.snapshots({}, NEVER),
  ls: async (repository) => {
    const latest = await repository.find('latest', {}, NEVER);
    return Array.fromAsync(repository.list(latest, {}, NEVER));
  },
  backup: async (repository) => {
    const { summary } = await backup(repository);
    expect(summary).toMatchObject({ filesUnmodified: FILE_COUNT, filesNew: 0, dirsNew: 0, dataBlobs: 0 });
  },
  check: (repository) => findings(repository),
  prune: (repository) => repository.prune({ maxUnused: 0.05 }, () => false, NEVER),
  restore: async (repository) => readFiles(repository, await repository.find('latest', {}, NEVER)),
} satisfies Record<string, (repository: Repository) => Promise<unknown>>;

describe('With a cache', () => {
  it.each(['snapshots', 'ls', 'backup', 'prune'] as const)('%s reads from the store once', async (verb) => {
    const without = await readsOf(verbs[verb], false);
    far = await copyOf(original);
    const first = await readsOf(verbs[verb], true);
    expect(first.length).toBeLessThanOrEqual(without.length);
    const objects = first.filter((key) => !key.startsWith('locks/'));
    expect(new Set(objects).size).toBe(objects.length);
    const again = (await readsOf(verbs[verb], true)).filter((key) => !key.startsWith('locks/'));
    expect(again).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('a restore reads only the packs of data', async () => {
    await readsOf(verbs.ls, true);
    const before = await readsOf(verbs.restore, false);
    const reads = await readsOf(verbs.restore, true);
    expect(reads.length).toBeLessThan(before.length);
    expect(reads.every((key) => key.startsWith('data/'))).toBe(true);
  });

  it('what a backup writes need not be read', async () => {
    await readsOf(verbs.backup, true);
    const latest = await readsOf(verbs.ls, true);
    const packs = latest.filter((key) => key.startsWith('data/'));
    // The trees that are older than the cache.
    expect(packs.length).toBeLessThanOrEqual(CHANGES);
    const next = await readsOf(async (repository) => {
      await saveFiles(repository, { '/new/file': 'new', '/new/folder/file': 'newer' });
    }, true);
    expect(next.filter((key) => !key.startsWith('locks/'))).toEqual([]);
    const other = await readsOf(verbs.ls, true);
    expect(other).toEqual([]);
  });

  it('a check believes the store alone, and reads each of its packs of trees once', async () => {
    await readsOf(verbs.check, true);
    const reads = (await readsOf(verbs.check, true)).filter((key) => !key.startsWith('locks/'));
    expect(reads.length).toBeGreaterThan(3 * CHANGES - 1);
    expect(new Set(reads).size).toBe(reads.length);
    expect(reads.length).toBeLessThan((await readsOf(verbs.check, false)).length);
  });

  it('a check finds damage in the store that the cache would hide', async () => {
    await readsOf(verbs.ls, true);
    const trees = (await readsOf(verbs.check, true)).filter((key) => key.startsWith('data/'));
    for (const key of trees) await far.write(key, new Uint8Array((await far.stat(key, NEVER)).size), NEVER);
    const codes: string[] = [];
    await readsOf(async (repository) => codes.push(...(await findings(repository)).map(({ code }) => code)), true);
    expect(codes).toContain('tree-damaged');
  });

  it('whatever is in its files, the answers are the same', async () => {
    let expected = {};
    await readsOf(async (repository) => {
      expected = await readFiles(repository, await repository.find('latest', {}, NEVER));
    }, true);
    for (const entry of await readdir(join(folder, 'caches'), { recursive: true, withFileTypes: true }))
      if (entry.isFile() && entry.name.length === 64) await writeFile(join(entry.parentPath, entry.name), 'damage');
    await readsOf(async (repository) => {
      expect(await readFiles(repository, await repository.find('latest', {}, NEVER))).toEqual(expected);
    }, true);
    expect((await readsOf(verbs.ls, true)).length).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('what a prune removed from the store is removed from it, also when another machine pruned', async () => {
    await readsOf(verbs.ls, true);
    const elsewhere = await openRepository(far, PASSWORD, {}, NEVER);
    const snapshots = await elsewhere.snapshots({}, NEVER);
    await elsewhere.forget(
      snapshots.slice(0, -1).map(({ id }) => id),
      NEVER,
    );
    await elsewhere.prune({ maxUnused: 0 }, () => true, NEVER);
    await elsewhere.close();
    await readsOf(verbs.ls, true);
    const stored = new Set((await Array.fromAsync(far.list('', NEVER))).map(({ key }) => key.split('/').at(-1)));
    const entries = await readdir(join(folder, 'caches'), { recursive: true, withFileTypes: true });
    const kept = entries.filter((entry) => entry.isFile() && entry.name.length === 64).map(({ name }) => name);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.filter((name) => !stored.has(name))).toEqual([]);
  });

  it('a folder that cannot be one is told of once, and nothing else', async () => {
    await writeFile(join(folder, 'caches'), 'a file');
    expect((await readsOf(verbs.ls, true)).length).toBeGreaterThan(0);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(/the cache in .* cannot be used: /);
  });
});
