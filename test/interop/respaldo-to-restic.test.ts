/** What Respaldo writes, restic checks, lists, continues and prunes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRepository } from '../../src/repository/index.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { LocalStore } from '../../src/stores/local/local.ts';
import {
  asRead,
  type Files,
  findings,
  NEVER,
  newRepository,
  noise,
  PASSWORD,
  readFiles,
  saveFiles,
} from '../fixtures/repository.ts';
import { Restic, RESTICS } from '../fixtures/restic.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-interop-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Compressible and not, empty, equal, large enough for several chunks and packs. */
const FIRST: Files = {
  '/a/text': 'the same line\n'.repeat(5000),
  '/a/copy': 'the same line\n'.repeat(5000),
  '/a/empty': '',
  '/b/deep/er/noise': noise(1, 9_000_000),
  '/b/other': noise(2, 12_000_000),
  '/c/ünïcödé <&> "quoted"': 'x',
};
const SECOND: Files = { ...FIRST, '/a/text': 'changed', '/b/other': noise(3, 400_000) };

const VERSIONS = [1, 2] as const;
const cases = RESTICS.flatMap((binary) => VERSIONS.map((version) => ({ binary, version })));

describe.each(cases)('$binary on version $version', ({ binary, version }) => {
  let repository: Repository;
  let restic: Restic;
  beforeEach(async () => {
    repository = await newRepository(new LocalStore(folder), { version });
    restic = new Restic(binary, folder, PASSWORD);
  });
  afterEach(() => repository.close());

  test('backups are sound, and restore to the same bytes', async () => {
    const snapshot = await saveFiles(repository, FIRST, { tags: ['one', 'two'] });
    await restic.run('check', '--read-data');
    expect(await restic.json('snapshots')).toMatchObject([
      { id: snapshot.id, hostname: 'host', username: 'maria', tags: ['one', 'two'], paths: ['/'] },
    ]);
    for (const [path, content] of Object.entries(asRead(FIRST)))
      expect(await restic.run('dump', snapshot.id, path)).toBe(Buffer.from(content, 'latin1').toString());
  });

  test('a repository is sound after forget and prune, and what stays is whole', async () => {
    const first = await saveFiles(repository, FIRST);
    const second = await saveFiles(repository, SECOND);
    await repository.forget([first.id], NEVER);
    const plan = await repository.prune({ maxUnused: 0 }, () => true, NEVER);
    expect(plan.bytes.freed).toBeGreaterThan(10_000_000);
    await restic.run('check', '--read-data');
    expect(await readFiles(repository, second)).toEqual(asRead(SECOND));
    const again = await repository.prune({ maxUnused: 0 }, () => true, NEVER);
    expect(again).toMatchObject({ repackPacks: [], removePacks: [], unreferencedPacks: [] });
    await restic.run('prune', '--max-unused', '0');
    expect(await findings(repository, true)).toEqual([]);
    expect(await readFiles(repository, second)).toEqual(asRead(SECOND));
  });

  test('restic’s backups and prunes and ours take turns', async () => {
    const mine = await saveFiles(repository, FIRST);
    await restic.run('backup', import.meta.dirname);
    expect(await findings(repository, true)).toEqual([]);
    await repository.prune({ maxUnused: 0 }, () => true, NEVER);
    await restic.run('check', '--read-data');
    await restic.run('forget', '--prune', mine.id);
    await saveFiles(repository, SECOND);
    await repository.prune({ maxUnused: 0.05 }, () => true, NEVER);
    await restic.run('check', '--read-data');
    expect(await findings(repository, true)).toEqual([]);
    expect(await repository.snapshots({}, NEVER)).toHaveLength(2);
  });

  test('keys made here open there, and the other way round', async () => {
    await repository.addKey('another', { username: 'jo', hostname: 'elsewhere' }, NEVER);
    const other = new Restic(binary, folder, 'another');
    await other.run('snapshots');
    await repository.changePassword('changed', {}, NEVER);
    expect((await restic.attempt('snapshots')).stderr).toContain('wrong password');
    await new Restic(binary, folder, 'changed').run('snapshots');
    const reopened = await openRepository(new LocalStore(folder), 'changed', {}, NEVER);
    expect(reopened.keyId).toBe(repository.keyId);
  });
});
