/** Repositories as long lives and other settings leave them: packs of any size and mixture, blobs and indexes twice. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRepository } from '../../src/repository/index.ts';
import { Sealer } from '../../src/repository/format/crypto.ts';
import { encodeIndex } from '../../src/repository/format/index-file.ts';
import { openKeyFile } from '../../src/repository/format/key.ts';
import { PackBuilder } from '../../src/repository/format/pack.ts';
import { loadIndex } from '../../src/repository/storage/load-index.ts';
import { listObjects, listPacks, Objects, packKey } from '../../src/repository/storage/objects.ts';
import { LocalStore } from '../../src/stores/local/local.ts';
import { findings, NEVER, noise, PASSWORD, readFiles } from '../fixtures/repository.ts';
import { Restic, RESTICS } from '../fixtures/restic.ts';

const MIB = 1024 * 1024;
/**
 * restic closes a pack with the blob by which it reaches the size that was asked for. Where a file is cut is chance, as
 * every repository has a polynomial of its own: that blob may be as large as any.
 */
const LARGEST_BLOB = 8 * MIB;
/** Of a pack with some dozens of blobs, its header and what encryption and compression add to each: with room. */
const OVERHEAD = 64 * 1024;

let folder: string;
let store: LocalStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-odd-'));
  store = new LocalStore(join(folder, 'repository'));
  await mkdir(join(folder, 'data'));
  for (const seed of [1, 2, 3]) await writeFile(join(folder, `data/${seed}`), noise(seed, 10 * MIB));
  await writeFile(join(folder, 'data/small'), 'small');
});
afterEach(() => rm(folder, { recursive: true }));

async function sizes(): Promise<number[]> {
  return (await Array.fromAsync(listPacks(store, NEVER))).map(({ size }) => size).sort((a, b) => b - a);
}

/** One more pack of all trees and the small data together, as old programs made them, in an old index, twice. */
async function addMixedPack(version: 1 | 2): Promise<void> {
  const [keyId] = await Array.fromAsync(listObjects(store, 'key', NEVER));
  const opened = await openKeyFile(await store.read(`keys/${keyId?.id ?? ''}`, undefined, NEVER), PASSWORD);
  if (opened === undefined) throw new Error('the key does not open');
  const objects = new Objects(store, new Sealer(opened), version);
  const index = await loadIndex(objects, NEVER);
  const builder = new PackBuilder('data', new Sealer(opened), version === 1 ? undefined : 1);
  for (const { id, blobs } of index.packs()) {
    for (const blob of blobs.filter(({ type, length }) => type === 'tree' || length < 1000)) {
      builder.addSealed(blob, await store.read(packKey(id), { offset: blob.offset, length: blob.length }, NEVER));
    }
  }
  const { id, bytes, blobs } = builder.finish();
  expect(new Set(blobs.map(({ type }) => type))).toEqual(new Set(['data', 'tree']));
  await store.write(packKey(id), bytes, NEVER);
  for (let times = 0; times < 2; times++) await objects.save('index', encodeIndex([{ id, blobs }]), NEVER);
}

const cases = RESTICS.flatMap((binary) => ([1, 2] as const).map((version) => ({ binary, version })));

describe.each(cases)('$binary, version $version', ({ binary, version }) => {
  test('small, large and mixed packs, blobs and indexes twice: read, checked and pruned by both', async () => {
    const restic = new Restic(binary, store.location, PASSWORD);
    await restic.run('init', '--repository-version', String(version));
    await restic.run('backup', '--pack-size', '4', join(folder, 'data'));
    const small = await sizes();
    expect(small[0]).toBeLessThan(4 * MIB + LARGEST_BLOB + OVERHEAD);
    await writeFile(join(folder, 'data/4'), noise(4, 40 * MIB));
    await restic.run('backup', '--pack-size', '64', join(folder, 'data'));
    // All that is new is less than a pack holds: it is in one, by which the next size would not be reached either.
    const [large, next] = await sizes();
    expect(large).toBeGreaterThan(40 * MIB);
    expect(next).toBe(small[0]);
    await addMixedPack(version);

    const repository = await openRepository(store, PASSWORD, {}, NEVER);
    try {
      const [, snapshot] = await repository.snapshots({}, NEVER);
      if (snapshot === undefined) throw new Error('there is no second snapshot');
      const files = await readFiles(repository, snapshot);
      expect(Object.values(files).map(({ length }) => length / MIB)).toEqual([10, 10, 10, 40, 5 / MIB]);
      // restic counts duplicates and mixed packs as something to mend, not as damage.
      expect((await findings(repository, true)).filter(({ severity }) => severity === 'damage')).toEqual([]);
      const plan = await repository.prune({ maxUnused: 0 }, () => true, NEVER);
      expect(plan.blobs.duplicate).toBeGreaterThan(2);
      expect(await findings(repository, true)).toEqual([]);
      expect(await readFiles(repository, snapshot)).toEqual(files);
    } finally {
      await repository.close();
    }
    await restic.run('check', '--read-data');
    expect(await restic.run('prune', '--max-unused', '0')).toMatch(/total prune: +0 blobs/);
  });
});
