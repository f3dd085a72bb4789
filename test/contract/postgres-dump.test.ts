import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Entry } from '../../src/domain/entry.ts';
import type { Finding } from '../../src/domain/finding.ts';
import { dumpFile } from '../../src/operations/dump-file.ts';
import { HostRuntime } from '../../src/runtimes/host.ts';
import type { Command, Runtime } from '../../src/runtimes/runtime.ts';
import { postgres } from '../../src/sources/postgres/postgres.ts';
import type {
  CaptureOptions,
  Dump,
  ServerRestorePlan,
  ServerRestoreRequest,
  SourceIo,
} from '../../src/sources/source.ts';
import { compress } from '../fixtures/dumps.ts';
import { readableFolder, writeEntries } from '../fixtures/entry-folder.ts';
import { Cluster, DEBIAN_15, debianBinaries, encrypt, type Binaries } from '../fixtures/postgres.ts';
import { NEVER } from '../fixtures/repository.ts';

const run = promisify(execFile);

/** All that a dump may trip over; the large table is read in ranges, by several sessions. */
const SHOP = [
  'CREATE SCHEMA extra',
  `CREATE TYPE mood AS ENUM ('good', 'bad')`,
  `CREATE TABLE extra."Large one" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mood mood, text text,
     length int GENERATED ALWAYS AS (length(text)) STORED, raw bytea, real float8)`,
  `INSERT INTO extra."Large one" (mood, text, raw, real)
     SELECT 'good', E'BEGIN;\\nCOMMIT;\\t\\\\.\\n' || repeat('x', 200) || i, decode(md5(i::text), 'hex'), i / 3.0
     FROM generate_series(1, 30000) AS i`,
  `CREATE TABLE small (a int, b text)`,
  `INSERT INTO small VALUES (1, E'\\\\.'), (2, 'BEGIN;'), (3, 'COMMIT;'), (4, NULL), (5, '')`,
  `CREATE TABLE "two\nlines" ("a;\nb" int)`,
  `INSERT INTO "two\nlines" VALUES (1), (2)`,
  'CREATE TABLE ranged (k int) PARTITION BY RANGE (k)',
  'CREATE TABLE ranged_all PARTITION OF ranged DEFAULT',
  'INSERT INTO ranged SELECT generate_series(1, 100)',
  'CREATE TABLE none ()',
  'CREATE SEQUENCE counter START 41',
  `SELECT nextval('counter')`,
  'CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM small',
  `CREATE FUNCTION answer() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 42;\nEND $$`,
  `SELECT lo_from_bytea(0, 'a large object')`,
  'CREATE ROLE owner_of_shop',
  "CREATE ROLE reader LOGIN PASSWORD 'secret'",
  'ALTER TABLE small OWNER TO owner_of_shop',
  'GRANT SELECT ON small TO reader',
  `ALTER DATABASE shop SET work_mem TO '9MB'`,
  `COMMENT ON DATABASE shop IS 'it''s ours'`,
];
const WITHOUT_TOOLS = !existsSync(DEBIAN_15);

describe.skipIf(WITHOUT_TOOLS)('a dump of PostgreSQL 15', () => {
  let binaries: Binaries;
  let server: Cluster;
  let folder: string;
  const made: { remove(): Promise<void> }[] = [];

  beforeAll(async () => {
    binaries = await debianBinaries();
    folder = await mkdtemp(join(tmpdir(), 'respaldo-dump-'));
    await chmod(folder, 0o755);
    server = await Cluster.create(binaries, { tcp: true });
    await server.start();
    await server.query('CREATE DATABASE shop');
    await server.query('CREATE DATABASE other');
    await server.session(async (client) => {
      for (const statement of SHOP) await client.query(statement);
    }, 'shop');
    await server.query('CREATE TABLE t AS SELECT 1 AS one', [], 'other');
  });

  afterEach(async () => {
    for (const one of made.splice(0).reverse()) await one.remove();
  });

  afterAll(async () => {
    await server.remove();
    await rm(folder, { recursive: true, force: true });
    await binaries.remove();
  });

  describe('restored', () => {
    it('into another server, with the roles that it lacks, is the same to the last byte of a dump', async () => {
      const { snapshot } = await dump('shop');
      const copy = await empty();
      const request = { dump: { snapshot }, address: to(copy) };
      const refused = await plan(request);
      expect(refused.missingRoles).toEqual(['owner_of_shop', 'reader']);
      expect(refused.obstacles).toEqual([expect.stringContaining('--create-roles')]);
      await restore({ ...request, createRoles: true });
      expect(await sqlOf(copy, 'shop')).toBe(await sqlOf(server, 'shop'));
    });

    it('replaces a database only when it is whole, and leaves nothing else behind', async () => {
      const { snapshot } = await dump('shop');
      await server.query('CREATE DATABASE copy');
      made.push({ remove: () => drop('copy') });
      await server.query('CREATE TABLE precious AS SELECT 1 AS one', [], 'copy');
      const request = { dump: { snapshot }, address: to(server, 'copy') };
      expect(await plan(request)).toMatchObject({
        databases: [{ name: 'shop', target: 'copy', replaces: { sessions: 0 } }],
        obstacles: [],
      });
      await restore(request);
      expect(await server.query('SELECT count(*)::int AS rows FROM small', [], 'copy')).toEqual([{ rows: 5 }]);
      expect(await databases()).toEqual(['copy', 'other', 'postgres', 'shop']);
    });

    it('tells of what a killed restore has left there', async () => {
      const { snapshot } = await dump('other');
      const left = `${'ñ'.repeat(20)}_restoring_00c0ffee`;
      await server.query(`CREATE DATABASE "${left}"`);
      made.push({ remove: () => drop(left) });
      const request = { dump: { snapshot }, address: to(server, 'copy') };
      expect(await plan(request)).toMatchObject({ unfinished: [left], obstacles: [] });
    });

    it('leaves the target as it was if the dump is damaged, fails, or is cancelled', async () => {
      const { snapshot, captured } = await dump('shop');
      await server.query('CREATE DATABASE copy');
      made.push({ remove: () => drop('copy') });
      await server.query('CREATE TABLE precious AS SELECT 1 AS one', [], 'copy');
      const request = { dump: { snapshot }, address: to(server, 'copy') };

      const abort = new AbortController();
      const cancelling: Runtime = {
        kind: 'host',
        place: 'this host',
        run: (command: Command, signal: AbortSignal) => {
          if (command.argv.includes('-1')) abort.abort();
          return new HostRuntime().run(command, signal);
        },
      };
      await expect(restore(request, cancelling, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });

      const constraints = join(captured, 'dump/shop/constraints.sql');
      await writeFile(constraints, `${await readFile(constraints, 'utf8')}SELECT 1 / 0;\n`);
      await expect(restore(request)).rejects.toMatchObject({
        message: expect.stringContaining('division by zero') as string,
      });
      await writeFile(
        constraints,
        (await readFile(constraints, 'utf8')).replace('SELECT 1 / 0', 'DELETE FROM public.small'),
      );
      await expect(restore(request)).rejects.toMatchObject({
        code: 'incomplete',
        message: expect.stringContaining('rows of public.small: 0 instead of 5') as string,
      });
      expect(await server.query('SELECT * FROM precious', [], 'copy')).toEqual([{ one: 1 }]);
      expect(await databases()).toEqual(['copy', 'other', 'postgres', 'shop']);
    });

    it('waits for no session, and ends them only when asked', async () => {
      const { snapshot } = await dump('other');
      await server.query('CREATE DATABASE busy');
      made.push({ remove: () => drop('busy') });
      await server.session(async (client) => {
        client.on('error', () => undefined);
        await client.query('SELECT 1');
        const request = { dump: { snapshot }, address: to(server, 'busy') };
        expect((await plan(request)).obstacles).toEqual([expect.stringContaining('in use by 1 session')]);
        await expect(restore(request)).rejects.toMatchObject({ code: 'target-refused' });
        await restore({ ...request, disconnect: true, keepOld: true });
      }, 'busy');
      const old = (await databases()).find((name) => name.startsWith('busy_before_')) ?? 'none';
      expect(await server.query('SELECT one FROM t', [], 'busy')).toEqual([{ one: 1 }]);
      await drop(old);
    });

    it('by psql alone, from its files', async () => {
      const { captured } = await dump('shop');
      await server.query('CREATE DATABASE byhand');
      made.push({ remove: () => drop('byhand') });
      await tool('psql', ['-X', '-q', '-d', 'byhand', '-f', join(captured, 'dump/shop/restore.sql')]);
      expect(await contentOf('byhand')).toBe(await contentOf('shop'));
    });
  });

  it('is the same to the last byte while nothing changes', async () => {
    const [first, second] = [await dump('shop'), await dump('shop')];
    const { stdout } = await run('diff', ['-r', '-q', first.captured, second.captured]).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe('');
    expect(first.entries.map(({ path }) => path)).toContain('/dump/shop/tables/extra.Large one.sql');
  });

  it('is the same by psql, where it runs elsewhere, and over an encrypted connection', async () => {
    await encrypt(server, binaries);
    await server.query(`CREATE ROLE super LOGIN SUPERUSER PASSWORD 'secret'`);
    made.push({
      remove: async () => {
        await server.query('DROP ROLE super');
      },
    });
    const [here, encrypted, elsewhere] = [counting('host'), counting('host'), counting('docker')];
    const dumps = [
      await dump('shop', '', { runtime: here }),
      await dump('shop', 'sslmode=require', { user: 'super', runtime: encrypted }),
      await dump('shop', '', { runtime: elsewhere }),
    ];
    // One looks at the server, one holds the snapshot, others bring rows.
    expect(elsewhere.started).toBeGreaterThan(2);
    expect([here.started, encrypted.started]).toEqual([0, 0]);
    const [first = '', ...others] = dumps.map(({ captured }) => join(captured, 'dump/shop'));
    for (const other of others) expect((await run('diff', ['-r', '-q', first, other])).stdout).toBe('');
  });

  it('is one state of the database, although it is written to all the while', async () => {
    await server.query('CREATE DATABASE moving');
    made.push({ remove: () => drop('moving') });
    await server.query(
      `CREATE TABLE large AS SELECT i, 100 AS balance, repeat('x', 200) AS x FROM generate_series(1, 20000) i`,
      [],
      'moving',
    );
    await server.query('CREATE TABLE small AS SELECT 0 AS balance', [], 'moving');
    const snapshot = await server.session(async (client) => {
      const over = new AbortController();
      const dumping = dump('moving').finally(() => {
        over.abort();
      });
      for (let i = 1; !over.signal.aborted; i++)
        await client.query(
          `WITH taken AS (UPDATE large SET balance = balance - 1 WHERE i = ${String(1 + (i % 20_000))} RETURNING 1)
           UPDATE small SET balance = balance + (SELECT count(*) FROM taken)`,
        );
      return (await dumping).snapshot;
    }, 'moving');
    await restore({ dump: { snapshot }, address: to(server, 'moved') });
    made.push({ remove: () => drop('moved') });
    const sum = '(SELECT sum(balance) FROM large) + (SELECT sum(balance) FROM small)';
    expect(await server.query(`SELECT (${sum})::int AS sum`, [], 'moved')).toEqual([{ sum: 2_000_000 }]);
  });

  it('begins while the repository is being opened, once, and is of that moment', async () => {
    await server.query('CREATE DATABASE early');
    made.push({ remove: () => drop('early') });
    await server.query(`CREATE TABLE t AS SELECT 'before' AS x`, [], 'early');
    const runtime = counting('host');
    const onPrepared = async () => {
      await expect.poll(() => holders('early')).toBeGreaterThan(0);
      await server.query(`INSERT INTO t VALUES ('later')`, [], 'early');
    };
    const { captured } = await dump('early', '', { runtime, onPrepared });
    const rows = await readFile(join(captured, 'dump/early/data.sql'), 'utf8');
    expect(rows).toContain('before\n');
    expect(rows).not.toContain('later');
    expect(runtime.sections).toBe(3);
  });

  it('that nobody takes ends at once, although it waits for a table that somebody changes', async () => {
    await server.query('CREATE DATABASE waiting');
    made.push({ remove: () => drop('waiting') });
    await server.query('CREATE TABLE t AS SELECT 1 AS one', [], 'waiting');
    await server.session(async (client) => {
      await client.query('BEGIN');
      await client.query('LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
      const onPrepared = async () => {
        const waiting = () => server.query('SELECT 1 AS one FROM pg_locks WHERE NOT granted');
        await expect.poll(waiting).not.toEqual([]);
        throw new Error('no repository');
      };
      await expect(dump('waiting', '', { onPrepared })).rejects.toThrow('no repository');
    }, 'waiting');
    await expect.poll(() => holders('waiting')).toBe(0);
  });

  it('holds every database that is not left out, and the roles', async () => {
    const { captured, findings } = await dump('', 'exclude=oth*,postgres');
    const facts = JSON.parse(await readFile(join(captured, 'respaldo.json'), 'utf8')) as {
      databases: { name: string }[];
    };
    expect(facts.databases.map(({ name }) => name)).toEqual(['shop']);
    expect(await readFile(join(captured, 'dump/globals.sql'), 'utf8')).toMatch(/ALTER ROLE reader .* PASSWORD 'SCRAM/);
    expect(findings).toEqual([]);
  });

  it('by a role that may not read the passwords of roles has none, and says so', async () => {
    await server.query(`CREATE ROLE dumper LOGIN PASSWORD 'secret'`);
    await server.query('GRANT SELECT ON t TO dumper', [], 'other');
    const { captured, findings } = await dump('other', '', { user: 'dumper' });
    expect(findings.map(({ code }) => code)).toEqual(['role-passwords-missing']);
    expect(await readFile(join(captured, 'dump/globals.sql'), 'utf8')).not.toContain('SCRAM');
  });

  it('that is much smaller than the one before is incomplete', async () => {
    await server.query('CREATE DATABASE shrinking');
    made.push({ remove: () => drop('shrinking') });
    await server.query(`CREATE TABLE t AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 500)`, [], 'shrinking');
    const { snapshot } = await dump('shrinking');
    await server.query('DELETE FROM t', [], 'shrinking');
    const capture = { type: 'full', previous: snapshot } as const;
    const codes = async (more: string) => (await dump('shrinking', more, { capture })).findings.map(({ code }) => code);
    expect(await codes('')).toEqual(['dump-shrunken']);
    expect(await codes('smaller=accept')).toEqual([]);
  });

  describe('is no success', () => {
    it.each([
      ['a wrong password', 'reader', 'wrong', 'shop', { code: 'source-refused', hint: 'password' }],
      [
        'a role that may not read all',
        'reader',
        'secret',
        'shop',
        { code: 'source-refused', hint: 'pg_read_all_data' },
      ],
      ['no such database', 'reader', 'secret', 'nowhere', { code: 'source-missing', hint: 'shop' }],
      ['no such role', 'nobody', 'secret', 'shop', { code: 'source-refused', hint: 'password' }],
    ])('with %s', async (_what, user, password, database, { code, hint }) => {
      const failure = dump(database, '', { user, password });
      await expect(failure).rejects.toMatchObject({ code, hint: expect.stringContaining(hint) as string });
      await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining(password) as string });
    });

    it('with a wrong password, which is tried once', async () => {
      const runtime = counting('host');
      const failure = dump('shop', '', { user: 'reader', password: 'wrong', runtime });
      await expect(failure).rejects.toMatchObject({
        code: 'source-refused',
        hint: expect.stringContaining('PGPASSWORD') as string,
      });
      expect(runtime.started).toBe(0);
    });

    it.each(['pg_dump', 'pg_dumpall', 'psql'])('if %s ends well, but too early', async (program) => {
      const cutting: Runtime = {
        kind: program === 'psql' ? 'docker' : 'host',
        place: 'this host',
        run: async function* (command: Command, signal: AbortSignal) {
          const isCut =
            basename(command.argv[0]) === program && !command.argv.some((arg) => /--(help|version)/.test(arg));
          let last: Uint8Array | undefined;
          for await (const piece of new HostRuntime().run(command, signal)) {
            if (!isCut || program === 'psql') yield piece;
            else if (last !== undefined) yield last;
            last = piece;
            if (isCut && program === 'psql') return;
          }
          if (isCut) yield last?.subarray(0, -100) ?? new Uint8Array();
        },
      };
      await expect(dump('shop', '', { runtime: cutting })).rejects.toMatchObject({ code: 'source-lost' });
    });

    it('if the server goes away', async () => {
      const mortal = await empty();
      await mortal.query('CREATE TABLE t AS SELECT repeat(i::text, 50) AS x FROM generate_series(1, 100000) i');
      const dying = dump('postgres', '', {
        cluster: mortal,
        onEntry: async ({ path }) => {
          if (path.endsWith('/tables')) await mortal.stop('immediate');
        },
      });
      await expect(dying).rejects.toMatchObject({ code: 'source-lost' });
    });

    it.each(['host', 'docker'] as const)('if the one that holds its state is thrown out, on a %s', async (kind) => {
      const dying = dump('shop', '', {
        runtime: counting(kind),
        onEntry: async ({ path }) => {
          if (!path.endsWith('constraints.sql')) return;
          await server.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'respaldo' AND state = 'idle in transaction'`,
          );
        },
      });
      await expect(dying).rejects.toMatchObject({ code: 'source-lost' });
    });

    it('and gives back what it held when it is left early', async () => {
      const leaving = dump('shop', '', {
        onEntry: ({ path }) => {
          if (path.endsWith('data.sql')) throw new Error('enough');
        },
      });
      await expect(leaving).rejects.toThrow('enough');
      const held = () =>
        server.query(`SELECT 1 AS one FROM pg_stat_activity WHERE application_name IN ('respaldo', 'pg_dump')`);
      await expect.poll(held).toEqual([]);
    });
  });

  describe('by another tool', () => {
    it.each([
      ['shop.sql', ['--clean', '--create'], ''],
      ['shop.sql by gzip', ['--create'], 'gzip'],
      ['shop.sql by zstd', [], 'zstd'],
      ['shop.sql by xz', [], 'xz'],
      ['shop.sql by bzip2', [], 'bzip2'],
      ['shop.dump', ['-Fc'], ''],
      ['shop.dump by xz', ['-Fc'], 'xz'],
      ['shop.tar', ['-Ft'], ''],
      ['shop.tar by zstd', ['-Ft'], 'zstd'],
    ])('is restored from %s', async (name, flags, program) => {
      const path = join(folder, name);
      await tool('pg_dump', [...flags, '-f', path, 'shop']);
      if (program !== '') await compress(program, path);
      await restore({ dump: await dumpFile(path, NEVER), address: to(server, 'loaded') });
      made.push({ remove: () => drop('loaded') });
      expect(await contentOf('loaded')).toBe(await contentOf('shop'));
    });

    it('is refused if it was cut short, and nothing is made', async () => {
      const path = join(folder, 'cut.sql');
      await tool('pg_dump', ['-f', path, 'shop']);
      const file = await open(path, 'r+');
      await file.truncate(5000);
      await file.close();
      const refused = expect.objectContaining({
        code: 'source-damaged',
        message: expect.stringContaining(path) as string,
        hint: expect.stringContaining('Nothing was restored') as string,
      }) as Error;
      const restored = async () => restore({ dump: await dumpFile(path, NEVER), address: to(server, 'loaded') });
      await expect(restored()).rejects.toThrow(refused);
      const plain = await readFile(path);
      for (const program of ['gzip', 'zstd', 'xz', 'bzip2']) {
        // A whole stream that only the first part of the dump is in: the next one is missing.
        await writeFile(path, plain);
        await compress(program, path);
        await expect(restored()).rejects.toThrow(refused);
        await truncate(path, 900);
        await expect(restored()).rejects.toThrow(refused);
        expect(await databases()).not.toContain('loaded');
      }
    });

    it('is refused where the program that unpacks it is missing, with its package', async () => {
      const path = join(folder, 'shop.xz');
      await writeFile(path, '-- PostgreSQL database dump\n');
      await compress('xz', path);
      const dump = await dumpFile(path, NEVER);
      vi.stubEnv('PATH', folder);
      try {
        await expect(restore({ dump, address: to(server, 'loaded') })).rejects.toMatchObject({
          code: 'tool-missing',
          hint: 'Install it (Debian: xz-utils).',
        });
      } finally {
        vi.unstubAllEnvs();
      }
    });
  });

  /** How many sessions hold a state of the database. */
  async function holders(database: string): Promise<number> {
    const sessions = `datname = '${database}' AND backend_type = 'client backend' AND backend_xmin IS NOT NULL`;
    return (await server.query(`SELECT pid FROM pg_stat_activity WHERE ${sessions}`)).length;
  }

  /** Counts the sessions of psql. */
  function counting(kind: 'host' | 'docker'): Runtime & { started: number; sections: number } {
    return {
      kind,
      place: 'somewhere',
      started: 0,
      sections: 0,
      run(command, signal) {
        if (basename(command.argv[0]) === 'psql' && command.stdin !== undefined) this.started += 1;
        if (command.argv.some((arg) => arg.startsWith('--section'))) this.sections += 1;
        return new HostRuntime().run(command, signal);
      },
    };
  }

  interface DumpOptions {
    readonly user?: string;
    readonly password?: string;
    readonly runtime?: Runtime;
    readonly capture?: CaptureOptions;
    readonly cluster?: Cluster;
    /** Called when the source has been asked to begin ahead, which it is only then. */
    readonly onPrepared?: () => Promise<void>;
    readonly onEntry?: (entry: Exclude<Entry, { kind: 'local-tree' }>) => Promise<void> | void;
  }

  async function dump(names: string, more = '', options: DumpOptions = {}) {
    const {
      user,
      password = 'secret',
      cluster = server,
      capture = { type: 'full' },
      onEntry = () => undefined,
    } = options;
    const findings: Finding[] = [];
    const captured = await mkdtemp(join(folder, 'captured-'));
    await chmod(captured, 0o755);
    const where = user === undefined ? socket(cluster) : `host=127.0.0.1&port=${String(cluster.port)}`;
    const address = `postgresql://${user ?? 'postgres'}@/${names}?method=logical&${where}&${more}`;
    const source = postgres.open(address, {
      workingDirectory: '/',
      selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
      acceptDamagedPages: false,
      ...(user !== undefined && { password }),
    });
    const io = ioOf(findings, options.runtime);
    const watched = async function* () {
      for await (const entry of source.capture(io, capture)) {
        if (entry.kind !== 'local-tree') await onEntry(entry);
        yield entry;
      }
    };
    await source.check(io);
    await using _ahead = options.onPrepared && (await source.prepare?.(io));
    await options.onPrepared?.();
    const entries = (await writeEntries(watched(), captured)).filter((entry) => entry.kind !== 'local-tree');
    return { captured, entries, findings, snapshot: readableFolder(captured) };
  }

  function plan(request: { dump: Dump; address: string }): Promise<ServerRestorePlan> {
    return restorer().plan(whole(request), ioOf());
  }

  async function restore(
    request: Partial<ServerRestoreRequest> & { dump: Dump; address: string },
    runtime?: Runtime,
    signal?: AbortSignal,
  ): Promise<void> {
    const io = ioOf([], runtime, signal);
    await restorer().carryOut(await restorer().plan(whole(request), io), whole(request), io);
  }

  async function empty(): Promise<Cluster> {
    const cluster = await Cluster.create(binaries);
    made.push(cluster);
    await cluster.start();
    return cluster;
  }

  async function drop(name: string): Promise<void> {
    await server.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  }

  async function databases(): Promise<string[]> {
    return (await server.query('SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1')).map(
      ({ datname }) => String(datname),
    );
  }

  /** What pg_dump says of it, with the database's own properties. */
  function sqlOf(cluster: Cluster, database: string): Promise<string> {
    return tool('pg_dump', ['--create', '--restrict-key=same', database], cluster);
  }

  /** What another tool's dump holds: not the database's own properties. */
  function contentOf(database: string): Promise<string> {
    return tool('pg_dump', ['--restrict-key=same', database]);
  }

  async function tool(program: string, args: readonly string[], cluster = server): Promise<string> {
    const env = {
      PGHOST: cluster.folder,
      PGPORT: String(cluster.port),
      PGUSER: 'postgres',
      PGOPTIONS: '-c client_min_messages=error',
    };
    const { stdout } = await run(join(DEBIAN_15, program), [...args], { env, cwd: '/', maxBuffer: 100_000_000 });
    return stdout;
  }
});

function restorer() {
  if (postgres.server === undefined) throw new Error('PostgreSQL has servers');
  return postgres.server;
}

function whole(request: Partial<ServerRestoreRequest> & { dump: Dump; address: string }): ServerRestoreRequest {
  return { inPlace: false, disconnect: false, createRoles: false, keepOld: false, ...request };
}

function ioOf(
  findings: Finding[] = [],
  runtime: Runtime = new HostRuntime(),
  signal = new AbortController().signal,
): SourceIo {
  return { runtime, signal, report: (finding) => findings.push(finding), expect: () => undefined };
}

function socket(cluster: Cluster): string {
  return `host=${encodeURIComponent(cluster.folder)}&port=${String(cluster.port)}`;
}

function to(cluster: Cluster, database = ''): string {
  return `postgresql://postgres@/${database}?${socket(cluster)}`;
}
