import { open, readdir, rm, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messages, Workplace, type Ended, type Started } from '../fixtures/cli.ts';
import { canMount } from '../fixtures/mount.ts';
import { Cluster, SERVERS, type Binaries } from '../fixtures/postgres.ts';
import { processesOfHost } from '../fixtures/processes.ts';

interface Told {
  readonly state: string;
  readonly snapshot_id: string;
  readonly snapshot_id_before: string;
  readonly server?: string;
  readonly recovery_seconds?: number;
  readonly seconds: Readonly<Record<string, number>>;
  readonly checks: readonly { readonly name: string; readonly passed: boolean; readonly detail: string }[];
  readonly findings: readonly { readonly code: string }[];
}

/** A folder for drills of its own, so that what they leave behind is seen. */
const drillsOf = (place: Workplace): string => place.path('d');

async function verify(place: Workplace, ...argv: string[]): Promise<Ended & { readonly told: Told }> {
  const ended = await place.start(['verify', '--json', ...argv], { TMPDIR: drillsOf(place) }).ended;
  const told = messages(ended.stdout).find(({ message_type }) => message_type === 'summary');
  if (told === undefined) throw new Error(`no summary: ${ended.stdout}${ended.stderr}`);
  return { ...ended, told: told as unknown as Told };
}

async function makePlace(): Promise<Workplace> {
  const place = await Workplace.withRepository();
  await place.run('mkdir', '-m', '711', drillsOf(place));
  await place.run('chmod', '711', place.folder);
  return place;
}

/** Nothing of any drill is left: no file, no process. */
async function expectNothingLeft(place: Workplace): Promise<void> {
  expect(await readdir(drillsOf(place))).toEqual([]);
  expect(await processesOfHost(drillsOf(place))).toEqual([]);
}

/** Of the snapshots that hold the path, oldest first. */
async function idsOf(place: Workplace, path: string): Promise<string[]> {
  const all = JSON.parse(await place.ok('snapshots', '--json')) as { id: string; paths: string[] }[];
  return all.filter(({ paths }) => paths.includes(path)).map(({ id }) => id);
}

async function idOf(place: Workplace, path: string): Promise<string> {
  return (await idsOf(place, path)).at(-1) ?? '';
}

async function tagsOf(place: Workplace, id: string): Promise<{ tags?: string[]; original?: string }> {
  const all = JSON.parse(await place.ok('snapshots', '--json')) as { id: string; tags?: string[]; original?: string }[];
  return all.find((one) => one.id === id) ?? {};
}

describe.each(SERVERS)('A snapshot of the files of $name', ({ binaries: open_ }) => {
  let place: Workplace;
  let binaries: Binaries;
  let archived: string;

  /** It would talk to others, archive, apply a subscription and load what is not there, if it were let. */
  beforeAll(async () => {
    place = await makePlace();
    binaries = await open_();
    archived = place.path('archived');
    const cluster = await Cluster.create(binaries, {
      initdb: ['-k', '-U', 'duena'],
      settings: ['wal_level = logical'],
    });
    await cluster.start();
    const address = cluster.address.replace('postgres@', 'duena@');
    const sql = async (database: string, ...statements: string[]) => {
      for (const one of statements)
        await place.run('node', '-e', QUERY, cluster.folder, String(cluster.port), database, one);
    };
    await sql('postgres', 'CREATE DATABASE shop', 'ALTER DATABASE shop SET session_preload_libraries = nowhere');
    await sql(
      'template1',
      "ALTER SYSTEM SET archive_mode = 'on'",
      `ALTER SYSTEM SET archive_command = 'touch ${archived}'`,
      "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'",
      "ALTER SYSTEM SET shared_preload_libraries = 'pg_cron'",
      "ALTER SYSTEM SET listen_addresses = '*'",
      'CREATE TABLE orders (id int PRIMARY KEY, note text)',
      "INSERT INTO orders SELECT i, repeat('x', 3000) || i FROM generate_series(1, 500) AS i",
      'CREATE INDEX ON orders (note)',
      "CREATE SUBSCRIPTION news CONNECTION 'host=127.0.0.1 port=1' PUBLICATION news WITH (connect = false)",
      'ALTER SUBSCRIPTION news ENABLE',
    );
    await place.ok('backup', address);
    // The server is stopped, and its files are gone: nobody could ask it anything.
    await cluster.remove();
  });
  afterAll(async () => {
    await binaries.remove();
    await place[Symbol.asyncDispose]();
  });

  it('is proven by a server that nobody else can reach, and that reaches nobody', async () => {
    const before = await idOf(place, (await pathsOf(place))[0] ?? '');
    const isolated = [
      "current_setting('listen_addresses') = ''",
      "current_setting('archive_mode') = 'off'",
      "current_setting('primary_conninfo') = ''",
      "current_setting('restore_command') = ''",
      "current_setting('shared_preload_libraries') = ''",
      "current_setting('max_logical_replication_workers') = '0'",
      "current_setting('unix_socket_permissions') = '0700'",
      'NOT pg_is_in_recovery()',
      "(SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE '%logical%' OR backend_type LIKE '%archiver%') = 0",
      '(SELECT bool_and(subenabled) FROM pg_subscription)',
    ].map((term) => `--assert=SELECT ${term}`);
    const { code, stderr, told } = await verify(place, 'latest', '--assert=SELECT 1 = 1', ...isolated);
    expect({ code, stderr, failed: told.checks.filter(({ passed }) => !passed) }).toEqual({
      code: 0,
      stderr: '',
      failed: [],
    });
    expect(told).toMatchObject({ state: 'proven', snapshot_id_before: before });
    expect(Object.keys(told.seconds)).toEqual(['fetch', 'start', 'check']);
    expect(told.recovery_seconds).toBeGreaterThan(0);
    expect(told.checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['recovery', 'database "shop"', 'database "template1"']),
    );
    expect(told.checks.find(({ name }) => name === 'database "template1"')?.detail).toMatch(
      /indexes are sound, by amcheck/,
    );
    expect(await tagsOf(place, told.snapshot_id)).toMatchObject({ tags: ['type=full', 'proven'], original: before });
    await expectNothingLeft(place);
    expect(await readdir(place.folder)).not.toContain('archived');
    const [run] = JSON.parse(await place.ok('runs', '--json')) as { operation: string; outcome: object }[];
    expect(run).toMatchObject({ operation: 'verify', outcome: { state: 'succeeded', snapshot: told.snapshot_id } });
    expect(run?.outcome).toHaveProperty('recoveryMs');
  });

  it('loses the mark when an assertion does not hold any more, and nobody may write in one', async () => {
    const demands = ['SELECT count(*) > 500 FROM orders', 'WITH gone AS (DELETE FROM orders RETURNING 1) SELECT true'];
    const { code, told } = await verify(
      place,
      'latest',
      ...demands.map((sql) => `--assert=${sql}`),
      '--assert=SELECT true',
    );
    expect(code).toBe(1);
    expect(told.state).toBe('refuted');
    expect((await tagsOf(place, told.snapshot_id)).tags).toEqual(['type=full']);
    expect(told.checks.slice(-3).map(({ passed }) => passed)).toEqual([false, false, true]);
    await expectNothingLeft(place);
  });
});

/** One statement, asked by whoever the superuser is. */
const QUERY = `
  const { default: pg } = await import(${JSON.stringify(import.meta.resolve('pg'))});
  const [host, port, database, sql] = process.argv.slice(1);
  const client = new pg.Client({ host, port: Number(port), user: 'duena', database });
  await client.connect();
  await client.query(sql);
  await client.end();`;

async function pathsOf(place: Workplace): Promise<string[]> {
  const all = JSON.parse(await place.ok('snapshots', '--json')) as { paths: string[] }[];
  return all.flatMap(({ paths }) => paths);
}

const [, DEBIAN] = SERVERS;

describe.runIf(DEBIAN !== undefined)('A drill', () => {
  let place: Workplace;
  let binaries: Binaries;
  let dumps: string;
  let files: string;
  let spoilt: string;
  let serverPath: string;

  beforeAll(async () => {
    place = await makePlace();
    if (DEBIAN === undefined) return;
    binaries = await DEBIAN.binaries();
    const cluster = await Cluster.create(binaries, { initdb: [] });
    const space = join(cluster.folder, 'space');
    await place.run('install', '-d', '-m', '700', ...ownerOf(binaries), space);
    await cluster.start();
    for (const sql of [
      'CREATE ROLE vendedora LOGIN',
      `CREATE TABLESPACE "gran disco" LOCATION '${space}'`,
      'CREATE DATABASE tienda OWNER vendedora',
    ])
      await cluster.query(sql);
    for (const sql of [
      'CREATE TABLE orders (id int PRIMARY KEY, note text) TABLESPACE "gran disco"',
      'INSERT INTO orders SELECT i, repeat(md5(i::text), 50) FROM generate_series(1, 2000) AS i',
      'CREATE INDEX by_note ON orders (note)',
      'ALTER TABLE orders OWNER TO vendedora',
      "CREATE SUBSCRIPTION news CONNECTION 'host=127.0.0.1 port=1' PUBLICATION news WITH (connect = false)",
    ])
      await cluster.query(sql, [], 'tienda');
    serverPath = `/postgresql/${cluster.folder.slice(1)}:${String(cluster.port)}`;
    await place.ok('backup', cluster.address.replace('physical', 'logical'));
    dumps = await idOf(place, `${serverPath}/databases`);
    await place.ok('backup', cluster.address);
    files = await idOf(place, serverPath);
    const [{ file = '' } = {}] = await cluster.query("SELECT pg_relation_filepath('by_note') AS file", [], 'tienda');
    await cluster.stop();
    await spoil(join(cluster.data, String(file)));
    await cluster.start();
    await place.ok('backup', cluster.address);
    spoilt = await idOf(place, serverPath);
    await cluster.remove();
    await place.ok('backup', 'data');
  });
  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  });

  it('restores dumps with roles and tablespaces, and compares them with what was dumped', async () => {
    const rows = 'SELECT count(*) = 2000 FROM orders';
    const { code, told } = await verify(place, dumps.slice(0, 8), '--assert', rows, '--database', 'tienda');
    expect({ code, failed: told.checks.filter(({ passed }) => !passed) }).toEqual({ code: 0, failed: [] });
    expect(Object.keys(told.seconds)).toEqual(['start', 'load', 'check']);
    expect(told.checks.map(({ name }) => name)).toEqual(expect.arrayContaining(['record', 'database "tienda"']));
    dumps = told.snapshot_id;
    await expectNothingLeft(place);
  });

  it('finds an index that does not fit its table, and names it', async () => {
    const { code, told, stderr } = await verify(place, spoilt);
    expect({ code, state: told.state }).toEqual({ code: 1, state: 'refuted' });
    // The server says what is wrong, or dies of it.
    expect(told.checks.find(({ passed }) => !passed)?.detail).toContain('by_note');
    expect(JSON.parse(stderr)).toMatchObject({ message_type: 'exit_error', code: 1 });
    expect((await tagsOf(place, spoilt)).tags).not.toContain('proven');
    await expectNothingLeft(place);
  });

  it('takes the words of the plan: its newest snapshots, and what it asserts of them', async () => {
    const config = {
      plans: {
        notes: { source: './data' },
        tienda: {
          source: 'postgresql://nobody@127.0.0.1:1/?method=logical',
          drill: {
            assertions: [
              { sql: 'SELECT count(*) FROM orders', 'at-least': 2000, 'at-most': 2000, database: 'tienda' },
              { sql: 'SELECT min(length(note)) FROM orders', equals: 1600 },
              { sql: 'SELECT pg_sleep(100) IS NOT NULL' },
            ],
            timeout: '4s',
          },
        },
      },
    };
    await writeFile(place.path('respaldo.yaml'), JSON.stringify(config), { mode: 0o600 });
    await place.ok('tag', '--add', 'plan=tienda', dumps);
    const { code, told } = await verify(place, 'tienda');
    expect(code).toBe(1);
    const asked = told.checks.filter(({ name }) => name.startsWith('assertion'));
    expect(asked.map(({ passed }) => passed)).toEqual([true, true, false]);
    expect(asked[2]?.detail).toContain('timeout');
    const missing = await place.respaldo('verify', 'notes');
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('respaldo backup notes') as string });
    dumps = told.snapshot_id;
  });

  /** In the midst of the checks, for as long as nobody stops it. */
  async function underWay(): Promise<Started> {
    const argv = ['verify', '-v', files, '--assert', 'SELECT pg_sleep(1000) IS NULL'];
    await rm(place.path('respaldo.yaml'), { force: true });
    const started = place.start(argv, { TMPDIR: drillsOf(place) });
    await new Promise<void>((resolve, reject) => {
      started.child.stdout?.on('data', (text: string) => text.includes('checking') && resolve());
      started.child.once('exit', () => reject(new Error('it ended too early')));
    });
    return started;
  }

  it('that is killed is tidied up by the next one, and one that is interrupted by itself', async () => {
    await place.ok('tag', '--add', 'proven', files);
    files = (await idsOf(place, serverPath))[0] ?? '';
    const other = await underWay();
    const killed = await underWay();
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect(await readdir(drillsOf(place))).toHaveLength(2);
    const { code, told } = await verify(place, 'latest');
    expect(code).toBe(0);
    expect(told.findings).toMatchObject([{ code: 'drill-leftover-removed' }]);
    // The other drill, whose process lives, goes on.
    expect(await readdir(drillsOf(place))).toHaveLength(1);
    expect((await processesOfHost(`${drillsOf(place)}/`)).length).toBeGreaterThan(0);
    other.child.kill('SIGINT');
    expect((await other.ended).code).toBe(130);
    await expectNothingLeft(place);
    expect((await tagsOf(place, files)).tags).toContain('proven');
  });

  it('of a damaged repository fails, and takes the mark away', async () => {
    const packs = place.path('repository/data');
    for (const file of await readdir(packs, { recursive: true }))
      if (/[0-9a-f]{64}$/.test(file)) await spoil(join(packs, file));
    const { code, told } = await verify(place, files);
    expect({ code, state: told.state }).toEqual({ code: 1, state: 'refuted' });
    expect((await tagsOf(place, told.snapshot_id)).tags).not.toContain('proven');
    await expectNothingLeft(place);
  });
});

function ownerOf({ user }: Binaries): string[] {
  return user === undefined ? [] : ['-o', String(user.uid), '-g', String(user.gid)];
}

/** Other bytes in the middle of a file. */
async function spoil(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    await file.write(Buffer.alloc(64, 0xa5), 0, 64, Math.floor(size / 2));
  } finally {
    await file.close();
  }
}

describe('Files', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await makePlace();
    await place.ok('backup', 'data');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('are proven by restoring and comparing them', async () => {
    const { code, told } = await verify(place, 'latest');
    expect({ code, state: told.state }).toEqual({ code: 0, state: 'proven' });
    expect(told.checks).toMatchObject([{ name: 'files', passed: true }]);
    expect(await tagsOf(place, told.snapshot_id)).toMatchObject({ tags: ['proven'] });
    const again = await verify(place, 'latest');
    expect(again.told.snapshot_id).toBe(told.snapshot_id);
    await expectNothingLeft(place);
  });

  it('are marked as proven only when nobody else keeps the repository busy, and it is said', async () => {
    await place.ok('tag', '--remove', 'proven', 'latest');
    const id = await idOf(place, place.path('data'));
    // A hole: long to read, and nothing on the disk.
    await place.run('truncate', '-s', '100G', 'hole');
    const other = place.start(['backup', 'hole']);
    const locks = place.path('repository/locks');
    for await (const _change of watch(locks)) if ((await readdir(locks)).length > 0) break;
    const { code, told, stderr } = await verify(place, id);
    other.child.kill('SIGINT');
    await other.ended;
    expect({ code, state: told.state, id: told.snapshot_id }).toEqual({ code: 11, state: 'proven', id });
    expect(stderr).toContain('its mark could not be changed');
    expect((await tagsOf(place, id)).tags ?? []).toEqual([]);
  });

  it('are verified, not proven, where only their bytes are compared', async () => {
    const { code, told } = await verify(place, '--content', 'latest');
    expect({ code, state: told.state }).toEqual({ code: 0, state: 'verified' });
    expect(told).not.toHaveProperty('recovery_seconds');
    expect((await tagsOf(place, told.snapshot_id)).tags).toEqual(['verified']);
    const proven = await verify(place, 'latest');
    expect((await tagsOf(place, proven.told.snapshot_id)).tags).toEqual(['proven']);
  });

  it.runIf(canMount())('are not restored to where there is no room: it is told before', async () => {
    await place.run('sh', '-c', 'truncate -s 20M data/zeros');
    await place.ok('backup', 'data');
    const script = `mount -t tmpfs -o size=1m tmpfs ${drillsOf(place)} && exec "$@"`;
    const through = ['unshare', '--mount', 'sh', '-c', script, 'sh'];
    const { code, stderr } = await place.start(['verify', 'latest', '--folder', drillsOf(place)], {}, through).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/needs 21 MiB, and 1 MiB are free\n.*--folder/);
  });

  it('that lack something cannot be proven', async () => {
    await place.ok('tag', '--add', 'incomplete', 'latest');
    const { code, stderr } = await place.respaldo('verify', (await idOf(place, place.path('data'))).slice(0, 8));
    expect(code).toBe(2);
    expect(stderr).toContain('is incomplete: it cannot be proven');
  });
});
