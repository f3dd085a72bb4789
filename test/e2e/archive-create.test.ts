/** Archives of snapshots that are there already: nothing is captured, and what they are of may be gone. */
import { appendFile, chmod, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Workplace } from '../fixtures/cli.ts';

describe('respaldo archive create', () => {
  let place: Workplace;
  beforeEach(async () => {
    place = await Workplace.make();
    await place.makeRepository();
    await mkdir(place.path('data/sub'), { recursive: true });
    await writeFile(place.path('data/sub/large'), Buffer.alloc(3_000_000, 'large'));
    await writeFile(place.path('data/small'), 'small\n', { mode: 0o640 });
    await symlink('small', place.path('data/link'));
    await chmod(place.path('data'), 0o750);
    const config = {
      repositories: { main: { url: './repository' } },
      archives: { here: { url: './here' }, there: { url: './there', compression: 'zstd' } },
      plans: {
        files: { source: './data', repository: 'main', archives: ['here', 'there'] },
        other: { source: './other', repository: 'main' },
      },
    };
    await writeFile(place.path('respaldo.yaml'), JSON.stringify(config), { mode: 0o600 });
  });
  afterEach(() => place[Symbol.asyncDispose]());

  it('makes up for an archive that failed, although what it is of is gone, and writes nothing twice', async () => {
    await writeFile(place.path('there'), 'in the way');
    expect((await place.respaldo('backup', 'files')).code).not.toBe(0);
    await rename(place.path('data'), place.path('away'));
    await rm(place.path('there'));
    await place.ok('archive', 'create', 'latest', '--plan', 'files', '--archive', 'there');
    await place.ok('archive', 'create', 'latest', '--plan', 'files', '--archive', 'there');
    await place.ok('archive', 'verify');
    const runs = JSON.parse(await place.ok('runs', 'files', '--json')) as { readonly operation: string }[];
    expect(runs.filter(({ operation }) => operation === 'archive')).toMatchObject([
      { repository: place.path('there'), outcome: { state: 'succeeded', bytesAdded: 0 } },
      { repository: place.path('there'), outcome: { state: 'succeeded', snapshot: expect.any(String) as string } },
    ]);
    const listed = await place.ok('archive', 'list', '--archive', 'there', '--json');
    const snapshots = JSON.parse(await place.ok('snapshots', '--json')) as { readonly id: string; time: string }[];
    expect(JSON.parse(listed)).toMatchObject([
      {
        database: 'data',
        time: new Date(snapshots[0]?.time ?? '').toISOString(),
        facts: { snapshot: snapshots[0]?.id },
      },
    ]);
    await place.ok('archive', 'restore', 'latest', '--archive', 'there', '--target', 'back');
    const state = (folder: string) => place.run('sh', '-c', `cd ${folder} && find . -printf '%p %m %l %T@\\n' | sort`);
    expect(await state('back/data')).toBe(await state('away'));
    await place.run('diff', '-r', 'away', 'back/data');
  });

  it('is remembered as failed where a backup could not even open it', async () => {
    const config = {
      archives: { here: { url: './here' }, there: { url: './there', encryption: 'locked' } },
      encryptions: { locked: { gpg: { passphrase: { file: './nowhere' } } } },
      plans: { files: { source: './data', archives: ['here', 'there'] } },
    };
    await writeFile(place.path('respaldo.yaml'), JSON.stringify(config));
    expect((await place.respaldo('backup', 'files')).code).not.toBe(0);
    const runs = JSON.parse(await place.ok('runs', 'files', '--json')) as { readonly repository: string }[];
    expect(runs.filter(({ repository }) => repository === place.path('there'))).toMatchObject([
      { operation: 'backup', outcome: { state: 'failed' } },
    ]);
  });

  it('says what it cannot do, and leaves nothing behind', async () => {
    await place.ok('backup', 'files');
    const refused = async (...argv: string[]): Promise<unknown> => {
      const { code, stderr } = await place.respaldo('archive', 'create', ...argv);
      return [code, stderr];
    };
    const said = (text: string): unknown => expect.stringContaining(text);
    await appendFile(place.path('data/small'), 'more');
    expect(await refused('latest', '--plan', 'other')).toEqual([2, said('the plan other has no archives')]);
    const { id } = (JSON.parse(await place.ok('snapshots', '--json')) as { readonly id: string }[])[0] ?? { id: '' };
    expect(await refused(id, '--plan', 'other', '--archive', 'here')).toEqual([2, said('and the plan other protects')]);
    expect(await refused(id, '--plan', 'files', '--archive', 'nowhere')).toEqual([2, said('no archive nowhere')]);
    expect(await refused(id, '--plan', 'files', '--database', 'x')).toEqual([1, said('there is no x in snapshot')]);
    expect(await refused('latest')).toEqual([2, said('--plan')]);
    await rm(place.path('here'), { recursive: true });
    await rm(place.path('repository/data'), { recursive: true });
    const { code } = await place.respaldo('archive', 'create', 'latest', '--plan', 'files');
    expect(code).toBe(1);
    const [run] = JSON.parse(await place.ok('runs', '--json')) as { readonly operation: string }[];
    expect(run).toMatchObject({ operation: 'archive', outcome: { state: 'failed' } });
    expect((await readdir(place.path('here'), { recursive: true })).filter((name) => name.includes('.tar'))).toEqual(
      [],
    );
  });
});
