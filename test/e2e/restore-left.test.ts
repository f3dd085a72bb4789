import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { messages, Workplace, type Started } from '../fixtures/cli.ts';
import { Cluster, DEBIAN_15, debianBinaries, type Binaries } from '../fixtures/postgres.ts';
import { onTerminal, SCRIPT } from '../fixtures/terminal.ts';

/** Waits there as long as somebody else has something to say of the role. */
const GATE = 'COMMENT ON ROLE gate IS NULL';
const PATIENT = { timeout: 20_000, interval: 20 };

describe.skipIf(!existsSync(DEBIAN_15))('A restore into a server that is killed', () => {
  let place: Workplace;
  let binaries: Binaries;
  let server: Cluster;
  let started: Started | undefined;
  const held: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    place = await Workplace.make();
    binaries = await debianBinaries();
    server = await Cluster.create(binaries);
    await server.start();
    await server.query('CREATE ROLE gate');
    await writeFile(place.path('new.sql'), `CREATE TABLE t AS SELECT 2 AS one;\n${GATE};\n`);
  });
  beforeEach(async () => {
    await server.query('CREATE DATABASE shop');
    await server.query('CREATE TABLE t AS SELECT 1 AS one', [], 'shop');
  });
  afterEach(async () => {
    started?.child.kill('SIGKILL');
    await started?.ended;
    for (const release of held.splice(0)) await release();
    await vi.waitFor(async () => expect(await sessions()).toEqual([]), PATIENT);
    for (const name of await databases()) await server.query(`DROP DATABASE "${name}" WITH (FORCE)`);
  });
  afterAll(async () => {
    await server.remove();
    await binaries.remove();
    await place[Symbol.asyncDispose]();
  });

  it('in the middle leaves a database that is dropped when asked, as soon as nobody works on it', async () => {
    const openGate = await hold(GATE);
    const side = await restoreUnderWay();
    expect(await leftBehind()).toEqual({ unfinished: [side], abandoned: [] });
    await kill();
    // The server goes on with what it was told last.
    await vi.waitFor(async () => expect(await locks()).toBe(0), PATIENT);
    expect(await leftBehind()).toEqual({ unfinished: [side], abandoned: [] });
    expect((await restoreTo('other', '--drop-unfinished', '--dry-run')).code).toBe(0);
    await openGate();
    await vi.waitFor(async () => expect(await sessions()).toEqual([]), PATIENT);

    expect(await leftBehind()).toEqual({ unfinished: [side], abandoned: [side] });
    expect((await restoreTo('other')).stderr + (await databases()).join(' ')).toContain(side);
    const dry = await restoreTo('shop', '--drop-unfinished', '--dry-run');
    expect(dry.stdout + dry.stderr).toMatch(/drops {5}shop_restoring_\w+ \(.* MiB\), which a killed restore/);
    expect(await databases()).toEqual(['other', 'shop', side]);
    expect((await restoreTo('shop', '--drop-unfinished')).code).toBe(2);
    expect(await databases()).toEqual(['other', 'shop', side]);
    expect((await restoreTo('shop', '--drop-unfinished', '--yes')).code).toBe(0);
    expect(await databases()).toEqual(['other', 'shop']);
    expect(await rows('shop')).toEqual([{ one: 2 }]);
    expect(await comments()).toEqual([]);
  });

  it('between the renames has changed both names or none, and what was set aside is never dropped', async () => {
    for (const isBroken of [true, false]) {
      const openGate = await hold(GATE);
      const side = await restoreUnderWay();
      const release = await hold(`COMMENT ON DATABASE "${side}" IS 'held'`);
      await openGate();
      const [swapping] = await waiting('COMMENT ON DATABASE');
      await kill();
      await vi.waitFor(async () => expect(await sessions()).toEqual([swapping]), PATIENT);
      expect(await leftBehind()).toEqual({ unfinished: [side], abandoned: [] });
      if (isBroken) await server.query('SELECT pg_terminate_backend($1)', [swapping]);
      await release();
      await vi.waitFor(async () => expect(await sessions()).toEqual([]), PATIENT);

      expect(await rows('shop')).toEqual([{ one: isBroken ? 1 : 2 }]);
      const left = isBroken ? [side] : [];
      expect(await leftBehind()).toEqual({ unfinished: left, abandoned: left });
      expect((await restoreTo('other', '--drop-unfinished', '--yes')).code).toBe(0);
      const [old = ''] = (await databases()).filter((name) => name.startsWith('shop_before_'));
      expect(await databases()).toEqual(['other', 'shop', ...(isBroken ? [] : [old])]);
      if (!isBroken) expect(await rows(old)).toEqual([{ one: 1 }]);
    }
  });

  it('is cleared up after by nobody who cannot be sure', async () => {
    const openGate = await hold(GATE);
    const side = await restoreUnderWay();
    const [{ mark } = { mark: '' }] = await comments();
    await kill();
    await openGate();
    await vi.waitFor(async () => expect(await sessions()).toEqual([]), PATIENT);
    // Somebody's own, one that was renamed to be kept, one that was set aside, and one that is being made.
    const marked = ['kept', 'shop_before_00c0ffee', 'x_restoring_00c0ffee'];
    for (const name of ['x_restoring_12345678', ...marked]) await server.query(`CREATE DATABASE "${name}"`);
    for (const name of marked) await server.query(`COMMENT ON DATABASE "${name}" IS '${String(mark)}'`);
    await hold(`SELECT pg_advisory_lock(${String(0x72_65_73_70)}, ${String(0x00_c0_ff_ee)})`);
    expect((await leftBehind()).abandoned).toEqual([side]);
    expect((await restoreTo('shop', '--drop-unfinished', '--yes')).code).toBe(0);
    expect(await databases()).toEqual(['shop', 'x_restoring_12345678', ...marked].toSorted());
  });

  it.skipIf(SCRIPT === undefined)('is cleared up after when somebody at the terminal says so', async () => {
    const openGate = await hold(GATE);
    const side = await restoreUnderWay();
    await kill();
    await openGate();
    await vi.waitFor(async () => expect(await sessions()).toEqual([]), PATIENT);
    const asked = new RegExp(`left ${side} half made: drop it`);
    const argv = ['restore', '--file', 'new.sql', '--to', to('shop')];
    const name = /Type its name/;
    for (const keys of ['\u0003', '\u0004', '\u001b'])
      expect((await onTerminal(place, argv, {}, [[asked, keys]])).code).toBe(130);
    const cancelled = await onTerminal(place, argv, {}, [
      [asked, 'y'],
      [name, '\u0003'],
    ]);
    expect(cancelled.code).toBe(130);
    expect(await databases()).toEqual(['shop', side]);
    const no = await onTerminal(place, argv, {}, [
      [asked, 'n'],
      [name, 'shop\r'],
    ]);
    expect(no.code).toBe(0);
    expect(await databases()).toEqual(['shop', side]);
    const yes = await onTerminal(place, argv, {}, [
      [asked, 'y'],
      [name, 'shop\r'],
    ]);
    expect(yes.code).toBe(0);
    expect(await databases()).toEqual(['shop']);
  });

  const to = (database: string): string =>
    `postgresql://postgres@/${database}?host=${encodeURIComponent(server.folder)}&port=${String(server.port)}`;
  const restoreTo = (database: string, ...more: string[]) =>
    place.respaldo('restore', '--file', 'new.sql', '--to', to(database), ...more);
  const rows = (database: string) => server.query('SELECT * FROM t', [], database);
  const names = async (sql: string): Promise<string[]> => (await server.query(sql)).map(({ name }) => String(name));
  const databases = () =>
    names(`SELECT datname AS name FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1`);
  const comments = () =>
    server.query(`SELECT description AS mark FROM pg_shdescription AS s JOIN pg_database AS d ON d.oid = s.objoid
      WHERE classoid = 'pg_database'::regclass AND datname NOT IN ('postgres', 'template1', 'template0')`);
  const locks = async () =>
    (await server.query(`SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = ${String(0x72_65_73_70)}`))
      .length;
  const sessions = async () =>
    (await server.query(`SELECT pid FROM pg_stat_activity WHERE application_name = 'respaldo' ORDER BY 1`)).map(
      ({ pid }) => Number(pid),
    );

  async function leftBehind(): Promise<{ unfinished: unknown; abandoned: unknown }> {
    const { stdout } = await restoreTo('another', '--dry-run', '--json');
    const { unfinished, abandoned } = messages(stdout)[0] ?? {};
    return { unfinished, abandoned: (abandoned as { name: string }[]).map(({ name }) => name) };
  }

  /** Up to the gate. @returns the database that it makes */
  async function restoreUnderWay(): Promise<string> {
    started = place.start(['restore', '--file', 'new.sql', '--to', to('shop'), '--yes']);
    await waiting(GATE);
    const [side = ''] = (await databases()).filter((name) => name.startsWith('shop_restoring_'));
    return side;
  }

  /** Those who wait for a lock with such a statement. */
  function waiting(statement: string): Promise<number[]> {
    return vi.waitFor(async () => {
      const found = await server.query(
        `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0`,
        [statement],
      );
      expect(found).toHaveLength(1);
      return found.map(({ pid }) => Number(pid));
    }, PATIENT);
  }

  async function kill(): Promise<void> {
    started?.child.kill('SIGKILL');
    await started?.ended;
  }

  /** In a transaction that lasts. @returns what undoes it */
  async function hold(sql: string): Promise<() => Promise<void>> {
    const { promise: end, resolve } = Promise.withResolvers<undefined>();
    const ready = Promise.withResolvers<undefined>();
    const session = server.session(async (client) => {
      await client.query('BEGIN');
      await client.query(sql);
      ready.resolve(undefined);
      await end;
      await client.query('ROLLBACK');
    });
    await Promise.race([ready.promise, session]);
    const release = async (): Promise<void> => {
      resolve(undefined);
      await session;
    };
    held.push(release);
    return release;
  }
});
