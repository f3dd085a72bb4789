import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdtemp, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Catalog, NewRun, RunOutcome } from '../../src/catalog/catalog.ts';
import { openCatalog, stateFolder } from '../../src/catalog/index.ts';
import { withoutPrivileges } from '../fixtures/cli.ts';
import { canMount } from '../fixtures/mount.ts';

const WRITER = join(import.meta.dirname, '../fixtures/catalog-writer.ts');

let folder: string;
let warnings: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-catalog-'));
  warnings = [];
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const openIn = (state: string): Promise<Catalog> =>
  openCatalog({ RESPALDO_STATE_DIR: state }, (message) => warnings.push(message));

const run = (subject: string, rest: Partial<NewRun> = {}): NewRun => ({
  operation: 'backup',
  subject,
  repository: '/srv/backups',
  startedAt: new Date('2025-01-01T10:00:00.123Z'),
  ...rest,
});
const outcome: RunOutcome = { state: 'succeeded', finishedAt: new Date('2025-01-01T10:01:00Z') };

describe('the catalog', () => {
  it('remembers runs and how they ended, the newest first, also for the next process', async () => {
    const first = await openIn(folder);
    const shop = await first.begin(run('shop', { type: 'full' }));
    const whole: RunOutcome = {
      ...outcome,
      snapshot: 'ab'.repeat(32),
      bytesProcessed: 2 ** 52,
      bytesAdded: 0,
      recoveryMs: 1234,
    };
    await first.finish(shop, whole);
    const failed = await first.begin(run('files', { operation: 'restore' }));
    await first.finish(failed, { state: 'failed', finishedAt: outcome.finishedAt, error: 'store-full: no room' });
    const running = await first.begin(run('shop', { owner: 'process 7' }));
    first.close();

    const catalog = await openIn(folder);
    expect(await catalog.runs({})).toEqual([
      { ...run('shop', { owner: 'process 7' }), id: running },
      {
        ...run('files', { operation: 'restore' }),
        id: failed,
        outcome: { state: 'failed', finishedAt: outcome.finishedAt, error: 'store-full: no room' },
      },
      { ...run('shop', { type: 'full' }), id: shop, outcome: whole },
    ]);
    expect((await catalog.runs({ subject: 'shop', limit: 1 })).map(({ id }) => id)).toEqual([running]);
    expect((await catalog.runs({ subject: "'; DROP TABLE runs --" })).length).toBe(0);
    catalog.close();
    expect(warnings).toEqual([]);
  });

  it("is for its owner's eyes alone", async () => {
    const catalog = await openIn(join(folder, 'a/state'));
    await catalog.begin(run('shop'));
    const modes = await Promise.all(
      ['a', 'a/state', ...(await readdir(join(folder, 'a/state'))).map((name) => `a/state/${name}`)].map(
        async (path) => (await stat(join(folder, path))).mode & 0o077,
      ),
    );
    expect(modes.length).toBeGreaterThan(3);
    expect(modes.every((mode) => mode === 0)).toBe(true);
    catalog.close();
  });

  it('takes the runs of several processes at once', async () => {
    const record = (subject: string) => promisify(execFile)(process.execPath, [WRITER, folder, '100', subject]);
    const outputs = await Promise.all(['a', 'b', 'c'].map(record));
    // A clean terminal as well: nothing is said of experimental features.
    for (const output of outputs) expect(output).toEqual({ stdout: '', stderr: '' });
    const catalog = await openIn(folder);
    for (const subject of ['a', 'b', 'c']) {
      const runs = await catalog.runs({ subject });
      expect(runs.map((one) => one.outcome?.bytesAdded)).toEqual(Array.from({ length: 100 }, (_, i) => 99 - i));
    }
    catalog.close();
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ['text', (path) => writeFile(path, 'not a database at all\n'.repeat(1000))],
    ['a file that breaks off', async (path) => writeFile(path, (await readFile(path)).subarray(0, 5000))],
    [
      'a page of rubbish',
      async (path) => {
        const file = await open(path, 'r+');
        await file.write(Buffer.alloc(4096, 0xa5), 0, 4096, 4096);
        await file.close();
      },
    ],
  ])('moves %s aside, and begins anew', async (_, spoil) => {
    const before = await openIn(folder);
    for (let i = 0; i < 200; i++) await before.begin(run(`subject ${i}`));
    before.close();
    const path = join(folder, 'catalog.db');
    await spoil(path);
    const spoilt = await readFile(path);

    const catalog = await openIn(folder);
    await catalog.finish(await catalog.begin(run('shop')), outcome);
    expect((await catalog.runs({})).map(({ subject }) => subject)).toEqual(['shop']);
    catalog.close();
    const [aside = ''] = (await readdir(folder)).filter((name) => name.startsWith('catalog.db.damaged-'));
    expect(await readFile(join(folder, aside))).toEqual(spoilt);
    expect(warnings).toEqual([`the catalog ${path} was damaged, and is now ${join(folder, aside)}: a new one begins`]);
    (await openIn(folder)).close();
    expect(warnings).toHaveLength(1);
  });

  it('leaves one alone that a newer version has written', async () => {
    (await openIn(folder)).close();
    const path = join(folder, 'catalog.db');
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    const catalog = await openIn(folder);
    expect(await catalog.begin(run('shop'))).toBe(0);
    expect(warnings).toEqual([expect.stringContaining('newer version')]);
    expect(await readdir(folder)).toEqual(['catalog.db']);
  });

  it('warns once and remembers nothing where it cannot be opened', async () => {
    for (const place of ['/proc/respaldo', '/dev/null/state']) {
      warnings = [];
      const catalog = await openIn(place);
      const id = await catalog.begin(run('shop'));
      await catalog.finish(id, outcome);
      expect(await catalog.runs({})).toEqual([]);
      catalog.close();
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/^runs are not recorded, the catalog cannot be used: /);
    }
  });

  it.each([
    ['an unwritable folder', '.', 0o500],
    ['an unreadable file', 'catalog.db', 0o000],
  ])('warns once, with %s, and goes on', async (_, path, mode) => {
    if (path !== '.') (await openIn(folder)).close();
    await chmod(join(folder, path), mode);
    const argv = [...withoutPrivileges(), process.execPath, WRITER, folder, '3'];
    const output = execFileSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8' });
    expect(output).toMatch(/^runs are not recorded, the catalog cannot be used: .*\n$/);
  });

  it('warns once when it can no longer be written, and goes on', async () => {
    const catalog = await openIn(folder);
    const id = await catalog.begin(run('shop'));
    const vandal = new DatabaseSync(join(folder, 'catalog.db'));
    vandal.exec('DROP TABLE runs');
    vandal.close();
    await catalog.finish(id, outcome);
    expect(await catalog.begin(run('shop'))).toBe(0);
    expect(await catalog.runs({})).toEqual([]);
    catalog.close();
    expect(warnings).toEqual([expect.stringContaining('no such table')]);
  });
});

describe.skipIf(!canMount())('the catalog on a small disk', () => {
  beforeEach(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]);
  });
  afterEach(() => {
    execFileSync('umount', [folder]);
  });

  it('warns once when the disk is full, and goes on', async () => {
    const catalog = await openIn(folder);
    for (let i = 0; i < 100; i++) await catalog.begin(run('x'.repeat(10_000)));
    catalog.close();
    expect(warnings).toEqual([
      expect.stringMatching(/^runs are not recorded, the catalog cannot be used: .*(full|disk)/),
    ]);
    const next = await openIn(folder);
    await next.finish(await next.begin(run('x'.repeat(10_000))), outcome);
    next.close();
    expect(warnings).toHaveLength(2);
  });
});

describe('stateFolder', () => {
  it.each([
    [{ RESPALDO_STATE_DIR: '/a', STATE_DIRECTORY: '/b', XDG_STATE_HOME: '/c', HOME: '/d' }, '/a'],
    [{ RESPALDO_STATE_DIR: '', STATE_DIRECTORY: '/b:/e', XDG_STATE_HOME: '/c', HOME: '/d' }, '/b'],
    [{ XDG_STATE_HOME: '/c', HOME: '/d' }, '/c/respaldo'],
    [{ XDG_STATE_HOME: 'relative', HOME: '/d' }, '/d/.local/state/respaldo'],
    [{}, join(homedir(), '.local/state/respaldo')],
  ])('for %j is %s', (env, expected) => {
    expect(stateFolder(env)).toBe(expected);
  });
});
