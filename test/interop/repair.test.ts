import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messages, type Ended, which, Workplace } from '../fixtures/cli.ts';
import { type Damage, DAMAGES } from '../fixtures/damage.ts';
import { noise } from '../fixtures/repository.ts';
import { compareTrees } from '../fixtures/tree.ts';

const RESTIC = which('restic-0.18');

/** A repository of stock restic is damaged, and repaired by us; restic says what it thinks of that. */
describe.skipIf(RESTIC === undefined)('A repository of restic', () => {
  let place: Workplace;
  const restic = (...argv: string[]): Promise<string> => place.run(RESTIC ?? '', ...argv, '--no-cache');
  const repository = (...parts: string[]): string => place.path(join('repository', ...parts));

  beforeAll(async () => {
    place = await Workplace.make();
    mkdirSync(place.path('data/sub/deep'), { recursive: true });
    for (const [i, name] of ['one', 'two', 'sub/three', 'sub/deep/four', 'sub/deep/five.ISO'].entries())
      writeFileSync(place.path(`data/${name}`), noise(i + 1, 700_000));
    await place.makeRepository();
    await restic('backup', '-q', 'data/sub', 'data/one');
    await restic('backup', '-q', 'data');
    cpSync(repository(), place.path('sound'), { recursive: true });
  });
  afterAll(() => place[Symbol.asyncDispose]());

  function startOver(): void {
    rmSync(repository(), { recursive: true });
    cpSync(place.path('sound'), repository(), { recursive: true });
  }

  /** Paths of what is stored, packs by their type. */
  async function stored(): Promise<Record<'data' | 'tree' | 'index' | 'key', string[]>> {
    const blobs = (await place.ok('list', 'blobs')).trimEnd().split('\n');
    const packs = { data: new Set<string>(), tree: new Set<string>() };
    const index = JSON.parse(await place.ok('cat', 'index', (await place.ok('list', 'index')).slice(0, 64))) as {
      packs: { id: string; blobs: { type: 'data' | 'tree' }[] }[];
    };
    expect(blobs.length).toBeGreaterThan(0);
    for (const {
      id,
      blobs: [first],
    } of index.packs)
      packs[first?.type ?? 'data'].add(repository('data', id.slice(0, 2), id));
    const files = (folder: string): string[] => readdirSync(repository(folder)).map((name) => repository(folder, name));
    return { data: [...packs.data], tree: [...packs.tree], index: files('index'), key: files('keys') };
  }

  function spoil(path: string, how: Damage): void {
    chmodSync(path, 0o600);
    const spoilt = DAMAGES[how](readFileSync(path));
    if (spoilt === undefined) rmSync(path);
    else writeFileSync(path, spoilt);
  }

  /** Runs the commands that a check advises, as a person would who copies them. */
  async function followAdvice(): Promise<Ended> {
    const check = await place.respaldo('check', '--read-data');
    const advised = check.stdout.split('\n').filter((line) => /^respaldo (repair|key)/.test(line));
    for (const line of advised) await place.ok(...line.replace(/ *#.*/, '').split(' ').slice(1));
    return check;
  }

  it.each([
    ['data', 'a flipped bit'],
    ['data', 'a lost end'],
    ['tree', 'a flipped bit'],
    ['tree', 'no file at all'],
    ['index', 'a flipped bit'],
    ['index', 'no bytes at all'],
  ] as const)('with %s: %s is sound after what a check advises, and restores what is left', async (type, how) => {
    startOver();
    const [victim = ''] = (await stored())[type];
    spoil(victim, how);
    const check = await followAdvice();
    expect(check).toMatchObject({ code: 1, stderr: expect.stringContaining(victim.slice(-64)) as string });
    await restic('check', '--read-data');
    expect(await place.ok('check', '--read-data')).toContain('no damage');
    if ((await place.ok('snapshots', '--json')) === '[]\n') return;

    rmSync(place.path('restored'), { recursive: true, force: true });
    await place.ok('restore', 'latest:/data', '--target', 'restored');
    const different = compareTrees(place.path('data'), place.path('restored'));
    if (type === 'index') expect(different).toEqual([]);
    else expect(different.filter((line) => /"\/one"/.test(line)).length).toBeLessThanOrEqual(1);
    // A copy of what was taken out is in the current folder.
    const copy = place.path(`pack-${victim.slice(-64)}`);
    expect(existsSync(copy)).toBe(type !== 'index' && how !== 'no file at all');
    rmSync(copy, { force: true });
  });

  it('with a damaged key is opened by the others; a check names it, and it can be removed', async () => {
    startOver();
    writeFileSync(place.path('second'), 'another password');
    await restic('key', 'add', '--new-password-file', place.path('second'));
    const [id = ''] = readdirSync(repository('keys'));
    // Whichever it is: one of the two passwords still opens it.
    spoil(repository('keys', id), 'a flipped bit');
    const withSecond = ['--password-file', place.path('second')];
    const first = await place.respaldo('check');
    const which = first.code === 1 && first.stderr.includes('damage:') ? [] : withSecond;
    const check = await place.respaldo('check', ...which);
    expect(check.stderr).toContain(`damage: key ${id} cannot be read`);
    expect(check.stdout).toContain(`respaldo key remove ${id}`);
    expect(await place.ok('key', 'list', ...which)).toContain('damaged');
    await place.ok('key', 'remove', id, ...which);
    expect(await place.ok('check', ...which)).toContain('no damage');
  });

  it('tells at a restore which files are hit, and restores the rest', async () => {
    startOver();
    const [victim = ''] = (await stored()).data;
    spoil(victim, 'a flipped bit');
    rmSync(place.path('part'), { recursive: true, force: true });
    const { code, stderr } = await place.respaldo('restore', 'latest:/data', '--target', 'part');
    expect(code).toBe(1);
    const hit = /not restored: (\S+):/.exec(stderr)?.[1] ?? '';
    expect(hit).not.toBe('');
    const different = compareTrees(place.path('data'), place.path('part')).map((line) => line.split(':')[0]);
    expect(different.filter((name) => !name?.includes(hit.split('/').at(-1) ?? '')).length).toBeLessThanOrEqual(1);
  });

  it('whose index is damaged is restored as far as other indexes tell', async () => {
    startOver();
    const rest = (await stored()).index;
    expect(rest).toHaveLength(2);
    for (const [i, index] of rest.entries()) {
      startOver();
      spoil(index, 'a flipped bit');
      const target = place.path(`by-index-${i}`);
      const { stdout, stderr } = await place.respaldo('restore', 'latest:/data', '--target', target);
      expect(stdout + stderr).toContain(`index ${index.slice(-64)} cannot be read`);
      expect(stdout + stderr).toContain('respaldo repair index');
    }
  });

  it('gets the trees that restic itself makes of a repair', async () => {
    startOver();
    const [victim = ''] = (await stored()).data;
    spoil(victim, 'no file at all');
    cpSync(repository(), place.path('theirs'), { recursive: true });
    const theirs = ['--repo', place.path('theirs')];
    await restic('repair', 'index', ...theirs);
    await restic('repair', 'snapshots', '--forget', ...theirs);
    await place.ok('repair', 'index');
    await place.ok('repair', 'snapshots', '--forget');
    const of = async (...argv: string[]): Promise<unknown[]> =>
      (JSON.parse(await restic('snapshots', '--json', ...argv)) as Record<string, unknown>[]).map(
        ({ tree, time, original, hostname }) => ({ tree, time, original, hostname }),
      );
    expect(await of()).toEqual(await of(...theirs));
    rmSync(place.path('theirs'), { recursive: true });
  });

  it.each([
    '--exclude *.iso',
    '--iexclude *.iso --exclude deep/four',
    '--exclude nothing',
    '--snapshot-summary',
    '--new-host other --new-time 2020-02-03T04:05:06',
    '--iexclude FOUR --forget',
    '--exclude four --dry-run',
  ])('is rewritten as restic does it: %s', async (text) => {
    const given = text.split(' ').map((word) => word.replace(/^(2020-02-03)T/, '$1 '));
    startOver();
    cpSync(repository(), place.path('theirs'), { recursive: true });
    const theirs = ['--repo', place.path('theirs')];
    await restic('rewrite', ...given, ...theirs);
    const told = messages(await place.ok('rewrite', ...given, '--json')).at(-1);
    const of = async (...argv: string[]): Promise<unknown[]> =>
      (JSON.parse(await restic('snapshots', '--json', ...argv)) as Record<string, unknown>[])
        .map(({ id: _, short_id: __, ...record }) => JSON.stringify(record))
        .sort();
    expect(await of()).toEqual(await of(...theirs));
    expect(told).toMatchObject({ message_type: 'summary' });
    await restic('check', '--read-data');
    rmSync(place.path('theirs'), { recursive: true });
  });
});
