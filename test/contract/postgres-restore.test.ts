import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LogicalFacts } from '../../src/sources/postgres/logical/facts.ts';
import { embeddedBinaries } from '../../examples/tienda/binaries.ts';
import { addressOf, dumpInto, ioOf, requestFor, restoreDump, restorer } from '../fixtures/dumps.ts';
import { canMount } from '../fixtures/mount.ts';
import { Cluster, DEBIAN_15, debianBinaries, type Binaries } from '../fixtures/postgres.ts';

const MIB = 1024 * 1024;

describe.skipIf(!existsSync(DEBIAN_15))('a dump that is restored into a server', () => {
  let binaries: Binaries;
  let server: Cluster;
  let folder: string;
  const made: string[] = [];

  beforeAll(async () => {
    binaries = await debianBinaries();
    folder = await mkdtemp(join(tmpdir(), 'respaldo-restore-'));
    await chmod(folder, 0o755);
    server = await Cluster.create(binaries);
    await server.start();
  });
  afterEach(async () => {
    for (const name of made.splice(0)) await server.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  });
  afterAll(async () => {
    await server.remove();
    await rm(folder, { recursive: true, force: true });
    await binaries.remove();
  });

  it('in place drops the old database first, and says so if it fails then', async () => {
    await make('shop', 'CREATE TABLE t AS SELECT 1 AS one');
    const { captured, snapshot } = await dumpInto(folder, server, 'shop');
    await server.query('UPDATE t SET one = 2', [], 'shop');
    const request = requestFor({ dump: { snapshot }, address: addressOf(server, 'shop'), inPlace: true });
    await restoreDump(request);
    expect(await server.query('SELECT one FROM t', [], 'shop')).toEqual([{ one: 1 }]);
    expect(await databases()).toEqual(['postgres', 'shop']);

    await appendTo(join(captured, 'dump/shop/constraints.sql'), 'SELECT 1 / 0;\n');
    await expect(restoreDump({ ...request, inPlace: false })).rejects.toMatchObject({
      message: expect.stringContaining('division by zero') as string,
      hint: expect.not.stringContaining('gone') as string,
    });
    expect(await databases()).toEqual(['postgres', 'shop']);
    await expect(restoreDump(request)).rejects.toMatchObject({ hint: expect.stringContaining('gone') as string });
    expect(await databases()).toEqual(['postgres']);
  });

  it.each(['custom', 'tar'])('is read to its end before anything goes, if it is a file: %s', async (format) => {
    await make('shop', 'CREATE TABLE t AS SELECT i, md5(i::text) AS x FROM generate_series(1, 5000) AS i');
    const login = ['-h', server.folder, '-p', String(server.port), '-U', 'postgres'];
    const whole = execFileSync(join(DEBIAN_15, 'pg_dump'), [...login, `--format=${format}`, 'shop']);
    const file = join(folder, `shop.${format}`);
    const request = requestFor({ dump: { file }, address: addressOf(server, 'shop'), inPlace: true });
    for (const bytes of [whole.length / 2, whole.length - 600]) {
      await writeFile(file, whole.subarray(0, bytes));
      await expect(restoreDump(request)).rejects.toMatchObject({ code: 'source-damaged' });
      expect(await server.query('SELECT count(*)::int AS n FROM t', [], 'shop')).toEqual([{ n: 5000 }]);
    }
    await server.query('DROP TABLE t', [], 'shop');
    await writeFile(file, whole);
    await restoreDump(request);
    expect(await server.query('SELECT count(*)::int AS n FROM t', [], 'shop')).toEqual([{ n: 5000 }]);
  });

  it.each([
    ['ICU', `LOCALE_PROVIDER icu ICU_LOCALE 'es-u-co-trad' LOCALE 'C'`],
    ['another encoding', `ENCODING 'LATIN1' LOCALE 'C'`],
  ])('orders and keeps text as before: %s', async (_what, options) => {
    await make('texts', `CREATE TABLE t AS SELECT unnest('{ll,lz,ñ,n,z,á}'::text[]) AS x`, options);
    const { snapshot } = await dumpInto(folder, server, 'texts');
    await restoreDump(requestFor({ dump: { snapshot }, address: addressOf(server, 'copy') }));
    made.push('copy');
    const order = `SELECT string_agg(x, ' ' ORDER BY x) AS x FROM t`;
    expect(await server.query(order, [], 'copy')).toEqual(await server.query(order, [], 'texts'));
    const locale = (name: string) =>
      server.query(
        `SELECT encoding, datlocprovider, datcollate, datctype, daticulocale FROM pg_database WHERE datname = '${name}'`,
      );
    expect(await locale('copy')).toEqual(await locale('texts'));
  });

  it('is, beside its content, the database that it was: template, owner, rights, limits, settings, comment, order', async () => {
    await server.query('CREATE ROLE keeper; CREATE ROLE guest');
    const about = `'ñ "about"'`;
    await make('mould', 'CREATE TABLE t AS SELECT 1 AS one', `OWNER keeper LOCALE 'C' CONNECTION LIMIT 3`);
    for (const sql of [
      'IS_TEMPLATE true',
      "SET work_mem TO '7MB'",
      'SET search_path TO "$user", "a b"',
      "SET my.words TO 'it''s'",
    ])
      await server.query(`ALTER DATABASE mould ${sql}`);
    await server.query(`ALTER ROLE guest IN DATABASE mould SET lock_timeout TO '5s'`);
    await server.query(`COMMENT ON DATABASE mould IS ${about}`);
    await server.query('REVOKE ALL ON DATABASE mould FROM PUBLIC, keeper');
    const properties = async (name: string) => {
      const sql = `SELECT to_jsonb(d) - 'oid' - 'datname' - 'datfrozenxid' - 'datminmxid' AS row,
        shobj_description(d.oid, 'pg_database') AS comment, (SELECT spcname FROM pg_tablespace WHERE oid = dattablespace),
        (SELECT json_agg(json_build_array(setrole, setconfig) ORDER BY setrole) FROM pg_db_role_setting
         WHERE setdatabase = d.oid) AS settings FROM pg_database AS d WHERE datname = '${name}'`;
      return (await server.query(sql))[0];
    };
    const before = await properties('mould');
    expect(before).toMatchObject({ row: { datacl: [], datistemplate: true, datconnlimit: 3 } });
    const { snapshot } = await dumpInto(folder, server, 'mould');
    // Beside it, in its place, which no template leaves by itself, and where it is made first.
    await restoreDump(requestFor({ dump: { snapshot }, address: addressOf(server, 'mould2') }));
    expect(await properties('mould2')).toEqual(before);
    for (const inPlace of [false, true]) {
      await restoreDump(requestFor({ dump: { snapshot }, address: addressOf(server, 'mould'), inPlace }));
      expect(await properties('mould')).toEqual(before);
    }
    await server.query('GRANT CREATE ON DATABASE mould TO guest WITH GRANT OPTION');
    const { snapshot: granted } = await dumpInto(folder, server, 'mould');
    await restoreDump(requestFor({ dump: { snapshot: granted }, address: addressOf(server, 'mould2') }));
    expect(await properties('mould2')).toEqual(await properties('mould'));
    for (const name of ['mould', 'mould2']) await server.query(`ALTER DATABASE ${name} IS_TEMPLATE false`);
    await server.query('DROP DATABASE mould2');
    expect(await databases()).toEqual(['mould', 'postgres']);
  });

  it('of several databases is in place when all of them are whole, and nothing has changed if one is not', async () => {
    for (const name of ['first', 'second', 'third']) await make(name, `CREATE TABLE t AS SELECT 'old' AS what`);
    const dumped = await dumpInto(folder, server, 'first,second,third');
    for (const name of ['first', 'second', 'third']) await server.query(`UPDATE t SET what = 'new'`, [], name);
    const what = async () => {
      const all = ['first', 'second', 'third'].map((name) => server.query('SELECT what FROM t', [], name));
      return (await Promise.all(all)).map(([row]) => row?.['what']);
    };
    const request = requestFor({ dump: { snapshot: dumped.snapshot }, address: addressOf(server) });

    // One that cannot be made, and one that somebody works with.
    const constraints = join(dumped.captured, 'dump/second/constraints.sql');
    const whole = await readFile(constraints, 'utf8');
    await writeFile(constraints, `${whole}SELECT 1 / 0;\n`);
    await expect(restoreDump(request)).rejects.toThrow('division by zero');
    expect(await what()).toEqual(['new', 'new', 'new']);
    expect(await databases()).toEqual(['first', 'postgres', 'second', 'third']);
    await writeFile(constraints, whole);
    const plan = await restorer().plan(request, ioOf());
    await server.session(async (client) => {
      await client.query('SELECT 1');
      await expect(restorer().carryOut(plan, request, ioOf())).rejects.toMatchObject({
        hint: expect.stringContaining('--disconnect') as string,
      });
    }, 'third');
    expect(await what()).toEqual(['new', 'new', 'new']);
    expect(await databases()).toEqual(['first', 'postgres', 'second', 'third']);

    await restoreDump(request);
    expect(await what()).toEqual(['old', 'old', 'old']);
    expect(await databases()).toEqual(['first', 'postgres', 'second', 'third']);
  });

  it('is refused by an older server, before anything is touched', async () => {
    await make('shop', 'CREATE TABLE t AS SELECT 1 AS one');
    const { captured, snapshot } = await dumpInto(folder, server, 'shop');
    const path = join(captured, 'respaldo.json');
    const facts = JSON.parse(await readFile(path, 'utf8')) as LogicalFacts;
    await writeFile(path, JSON.stringify({ ...facts, serverVersion: '16.4', serverVersionNumber: 160_004 }));
    const request = requestFor({ dump: { snapshot }, address: addressOf(server, 'copy') });
    expect((await restorer().plan(request, ioOf())).obstacles).toEqual([
      expect.stringMatching(/The dump is of version 16\.4, the server is the older 15\./),
    ]);
    await expect(restoreDump(request)).rejects.toMatchObject({ code: 'target-refused' });
    expect(await databases()).toEqual(['postgres', 'shop']);
  });

  it('moves to a newer server, also where only older tools are installed', { timeout: 120_000 }, async () => {
    await make('shop', 'CREATE TABLE t (id serial PRIMARY KEY, x text NOT NULL)');
    await server.query(`INSERT INTO t (x) VALUES ('one'), ('two')`, [], 'shop');
    const { snapshot } = await dumpInto(folder, server, 'shop');
    const embedded = await embeddedBinaries();
    const newer = await Cluster.create(embedded);
    try {
      await newer.start();
      const plan = await restorer().plan(requestFor({ dump: { snapshot }, address: addressOf(newer) }), ioOf());
      expect(plan.serverVersion).toMatch(/^18/);
      expect(plan.freeBytes).toBeGreaterThan(MIB);
      await restoreDump(requestFor({ dump: { snapshot }, address: addressOf(newer) }));
      await newer.query(`INSERT INTO t (x) VALUES ('three')`, [], 'shop');
      expect(await newer.query('SELECT max(id) AS id FROM t', [], 'shop')).toEqual([{ id: 3 }]);
    } finally {
      await newer.remove();
      await embedded.remove();
    }
  });

  it('goes as far as the role may, and tells what it may not', async () => {
    const role = async (name: string) => {
      await server.query(`CREATE ROLE ${name} LOGIN CREATEDB`);
      await make(`of_${name}`, 'CREATE TABLE t AS SELECT 1 AS one', `OWNER ${name}`);
      await server.query(`ALTER TABLE t OWNER TO ${name}`, [], `of_${name}`);
      return dumpInto(folder, server, `of_${name}`);
    };
    const [{ snapshot: own }, { snapshot: foreign }] = [await role('maker'), await role('other')];
    const address = addressOf(server, 'copy').replace('postgres@', 'maker@');
    await restoreDump(requestFor({ dump: { snapshot: own }, address }));
    made.push('copy');
    expect(await server.query('SELECT one FROM t', [], 'copy')).toEqual([{ one: 1 }]);
    await expect(restoreDump(requestFor({ dump: { snapshot: foreign }, address }))).rejects.toMatchObject({
      hint: expect.stringMatching(/^The role may not make all that is restored: /) as string,
    });
    expect(await server.query('SELECT one FROM t', [], 'copy')).toEqual([{ one: 1 }]);
    const owned = requestFor({ dump: { snapshot: own }, address: address.replace('/copy', '/of_other') });
    expect((await restorer().plan(owned, ioOf())).obstacles).toEqual([
      expect.stringContaining('"of_other" belongs to another role'),
    ]);
    // The server hides from it of which kind the sessions of others are.
    await server.session(async (client) => {
      await client.query('SELECT 1');
      const { obstacles } = await restorer().plan(requestFor({ dump: { snapshot: own }, address }), ioOf());
      expect(obstacles).toEqual([expect.stringContaining('"copy" is in use by 1 session:')]);
    }, 'copy');
  });

  it('meets somebody who has just come in, and tells how to go on', async () => {
    await make('shop', 'CREATE TABLE t AS SELECT 1 AS one');
    const { snapshot } = await dumpInto(folder, server, 'shop');
    const request = requestFor({ dump: { snapshot }, address: addressOf(server, 'shop') });
    const plan = await restorer().plan(request, ioOf());
    await server.session(async (client) => {
      await client.query('SELECT 1');
      await expect(restorer().carryOut(plan, request, ioOf())).rejects.toMatchObject({
        hint: expect.stringContaining('--disconnect') as string,
      });
      expect(await databases()).toEqual(['postgres', 'shop']);
    }, 'shop');
  });

  describe.skipIf(!canMount())('whose disk is small', () => {
    let disk: string;
    beforeAll(async () => {
      disk = join(folder, 'disk');
      await mkdir(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=80m', 'tmpfs', disk]);
      const place = join(disk, 'small');
      await mkdir(place, { mode: 0o700 });
      await chown(place, binaries.user?.uid ?? 0, binaries.user?.gid ?? 0);
      await server.query(`CREATE TABLESPACE small LOCATION '${place}'`);
    });
    afterAll(async () => {
      // What the server has open there goes with it.
      await server.stop('immediate');
      execFileSync('umount', [disk]);
    });

    it('leaves the old database where the new one does not fit beside it, but for --in-place', async () => {
      const rows = `CREATE TABLE t AS SELECT i, repeat('x', 1000) AS x FROM generate_series(1, 18000) AS i`;
      await make('large', rows, 'TABLESPACE small');
      const { snapshot } = await dumpInto(folder, server, 'large');
      await server.query('DELETE FROM t WHERE i = 1', [], 'large');
      const request = requestFor({ dump: { snapshot }, address: addressOf(server, 'large') });
      const plan = await restorer().plan(request, ioOf());
      expect(plan.freeBytes).toBeLessThan(80 * MIB);
      expect(plan.obstacles).toEqual([]);
      // Without room for the rows, and with room for all but the last pages, which the server keeps to the end.
      for (const taken of [38, 35]) {
        await writeFile(join(disk, 'other'), Buffer.alloc(taken * MIB));
        await expect(restorer().carryOut(plan, request, ioOf())).rejects.toMatchObject({
          code: 'target-full',
          hint: expect.stringContaining('--in-place') as string,
        });
        expect(await databases()).toEqual(['large', 'postgres']);
      }
      await expect(restoreDump(request)).rejects.toMatchObject({
        code: 'target-refused',
        hint: expect.stringContaining('--in-place') as string,
      });
      const count = () => server.query('SELECT count(*)::int AS rows FROM t', [], 'large');
      expect(await count()).toEqual([{ rows: 17_999 }]);
      expect(await databases()).toEqual(['large', 'postgres']);
      await restoreDump({ ...request, inPlace: true });
      expect(await count()).toEqual([{ rows: 18_000 }]);
    });

    it('is told by its tablespace, although the largest database lies elsewhere', async () => {
      await make('large', `CREATE TABLE t AS SELECT i, repeat('x', 1000) AS x FROM generate_series(1, 9000) AS i`);
      await make('little', 'CREATE TABLE t AS SELECT 1 AS one', 'TABLESPACE small');
      const { snapshot } = await dumpInto(folder, server, 'large,little');
      const { bavail, bsize } = await statfs(disk);
      await writeFile(join(disk, 'more'), Buffer.alloc(bavail * bsize - 3 * MIB));
      const request = requestFor({ dump: { snapshot }, address: addressOf(server) });
      expect(await restorer().plan(request, ioOf())).toMatchObject({
        obstacles: [
          'The disk of the tablespace small has no room for old and new side by side: --in-place drops the old database first.',
        ],
      });
      expect((await restorer().plan({ ...request, inPlace: true }, ioOf())).obstacles).toEqual([]);
      await rm(join(disk, 'more'));
      expect((await restorer().plan(request, ioOf())).obstacles).toEqual([]);
    });
  });

  /** A database with a table of its own, for as long as the test runs. */
  async function make(name: string, sql: string, options = ''): Promise<void> {
    await server.query(`CREATE DATABASE ${name} TEMPLATE template0 ${options}`);
    made.push(name);
    await server.query(sql, [], name);
  }

  async function databases(): Promise<string[]> {
    const rows = await server.query('SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1');
    return rows.map(({ datname }) => String(datname));
  }
});

async function appendTo(file: string, text: string): Promise<void> {
  await writeFile(file, `${await readFile(file, 'utf8')}${text}`);
}
