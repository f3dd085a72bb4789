/** Archives of folders that hold only what has changed: made, restored in order, and refused where one is missing. */
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Workplace } from '../fixtures/cli.ts';

interface Listed {
  readonly archive: string;
  readonly key: string;
  readonly plain: { readonly bytes: number };
  readonly chain: { readonly level: number };
  readonly restore: string;
}

describe('Archives of a folder that build upon each other', () => {
  let place: Workplace;
  const archives = (more = '') => `archives:
  here: { url: ./here, name: '{plan}-{database}-{time}', compression: none }
  there: { url: ./there, name: 'deep/{plan}-{database}-{time}', compression: zstd }
plans:
  files: { source: ./data, archives: [here, there], incremental-archives: true, exclude: ['*.tmp'] ${more} }\n`;
  beforeEach(async () => {
    place = await Workplace.make();
    await mkdir(place.path('data/old/sub'), { recursive: true });
    await writeFile(place.path('data/stays'), Buffer.alloc(500_000, 'stays'));
    await writeFile(place.path('data/changes'), 'one\n');
    await writeFile(place.path('data/goes'), 'gone soon\n');
    await writeFile(place.path('data/old/sub/moved'), Buffer.alloc(400_000, 'moved'));
    await writeFile(place.path('data/left.tmp'), 'out\n');
    await symlink('stays', place.path('data/link'));
    await writeFile(place.path('respaldo.yaml'), archives());
  });
  afterEach(() => place[Symbol.asyncDispose]());

  const change = async () => {
    await writeFile(place.path('data/changes'), 'two\n');
    await rm(place.path('data/goes'));
    await rename(place.path('data/old'), place.path('data/new'));
    await writeFile(place.path('data/added'), 'added\n');
  };
  const listed = async (archive: string): Promise<readonly Listed[]> =>
    JSON.parse(await place.ok('archive', 'list', '--archive', archive, '--json')) as Listed[];
  const levels = async (archive: string) => (await listed(archive)).map(({ chain }) => chain.level);
  const same = async (folder: string) => place.run('diff', '-r', '--no-dereference', '-x', '*.tmp', 'data', folder);

  it('are restored one after the other, with what was removed and renamed, from any archive', async () => {
    await place.ok('backup', 'files');
    await place.run('cp', '-a', 'data', 'first');
    await change();
    await place.ok('backup', 'files');
    await rm(place.path('data/added'));
    await place.ok('backup', 'files');
    expect(await levels('here')).toEqual([0, 1, 2]);
    const [full, one, two] = await listed('here');
    expect(full?.plain.bytes).toBeGreaterThan(900_000);
    // What is renamed is read again, what stays is not.
    expect(one?.plain.bytes).toBeLessThan(450_000);

    for (const archive of ['here', 'there']) {
      const last = (await listed(archive)).at(-1)?.key ?? '';
      await place.ok('archive', 'restore', last, '--archive', archive, '--target', `restored-${archive}`);
      await same(`restored-${archive}/data`);
      expect(await readdir(place.path(`restored-${archive}/data`))).not.toContain('left.tmp');
    }
    await place.ok('archive', 'restore', full?.key ?? '', '--archive', 'here', '--target', 'whole');
    expect(await readFile(place.path('whole/data/changes'), 'utf8')).toBe('one\n');

    await mkdir(place.path('by-hand'));
    for (const file of [full, one, two]) {
      const command = file?.restore.replace(file.key.split('/').at(-1) ?? '', `../here/${file.key}`) ?? '';
      await place.run('bash', '-c', `set -euo pipefail; cd by-hand; ${command}`);
    }
    await same('by-hand/data');
  });

  it('do not advance with a run that failed: the next one holds what that one held, and all are restored', async () => {
    await place.ok('backup', 'files');
    await change();
    await rename(place.path('there'), place.path('away'));
    await writeFile(place.path('there'), 'in the way');
    expect((await place.respaldo('backup', 'files')).code).not.toBe(0);
    await rm(place.path('there'));
    await rename(place.path('away'), place.path('there'));
    await place.ok('backup', 'files');
    // Where nothing is found to build upon, nothing is built.
    expect(await levels('here')).toEqual([0, 0, 1]);
    expect(await levels('there')).toEqual([0, 1]);
    for (const file of (await listed('here')).slice(1)) {
      await place.ok('archive', 'restore', file.key, '--archive', 'here', '--target', file.key);
      await same(join(file.key, 'data'));
    }
    const [first, second] = await listed('there');
    const orphan = second?.key ?? '';
    await rm(place.path(`there/${first?.key ?? ''}.manifest.json`));
    const broken = await place.respaldo('archive', 'restore', orphan, '--archive', 'there', '--target', 'broken');
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain('the chain is broken: the one of level 0');
    expect(await readdir(place.folder)).not.toContain('broken');
  });

  it('begin anew where somebody has removed what the next one would build upon', async () => {
    await place.ok('backup', 'files', '--type', 'incremental');
    await place.ok('backup', 'files', '--type', 'incremental');
    const [, second] = await listed('there');
    await rm(place.path(`there/${second?.key ?? ''}.manifest.json`));
    await place.ok('backup', 'files', '--type', 'incremental');
    expect(await levels('here')).toEqual([0, 1, 0]);
    await place.ok('backup', 'files', '--type', 'incremental');
    expect(await levels('there')).toEqual([0, 0, 1]);
  });

  it('begin anew where it is asked for, where the settings change, and where nothing is remembered', async () => {
    for (const type of ['auto', 'full', 'incremental', 'incremental', 'differential']) {
      await writeFile(place.path('data/changes'), type);
      await place.ok('backup', 'files', '--type', type);
    }
    expect(await levels('here')).toEqual([0, 0, 1, 2, 1]);
    await writeFile(place.path('respaldo.yaml'), archives(', exclude-larger-than: 1M'));
    await place.ok('backup', 'files');
    expect((await levels('here')).at(-1)).toBe(0);
    await place.ok('backup', 'files');
    expect((await levels('here')).at(-1)).toBe(1);
    await rm(place.path('state/increments'), { recursive: true });
    await place.ok('backup', 'files');
    expect((await levels('here')).at(-1)).toBe(0);
    const last = (await listed('here')).at(-1)?.key ?? '';
    await place.ok('archive', 'restore', last, '--archive', 'here', '--target', 'restored');
    await same('restored/data');
  });
});
