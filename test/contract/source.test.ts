import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { openSource } from '../../src/sources/index.ts';
import { Cluster, DEBIAN_15, debianBinaries, SERVERS, type Binaries } from '../fixtures/postgres.ts';
import { RedisServer } from '../fixtures/redis.ts';
import { noise } from '../fixtures/repository.ts';
import { describeSource, type SourceFixture } from './source.ts';

const OPTIONS = {
  workingDirectory: '/',
  selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
  acceptDamagedPages: false,
};

describeSource('a folder', async (): Promise<SourceFixture> => {
  const folder = await mkdtemp(join(tmpdir(), 'respaldo-source-'));
  await mkdir(join(folder, 'deep'));
  for (let n = 0; n < 20; n++) await writeFile(join(folder, 'deep', `${n}`), noise(n, 100_000));
  return {
    address: folder,
    source: openSource(folder, OPTIONS),
    state: () => contents(folder),
    restoredState: (restored) => contents(join(restored, folder)),
    change: () => writeFile(join(folder, 'deep', '7'), 'changed'),
    held: () => Promise.resolve(undefined),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
});

describeSource('a SQLite database', async (): Promise<SourceFixture> => {
  const folder = await mkdtemp(join(tmpdir(), 'respaldo-source-'));
  const database = new DatabaseSync(join(folder, 'shop.db'));
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE account (id INTEGER PRIMARY KEY, name TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO account SELECT i, hex(randomblob(50)) FROM n`);
  const rows = (file: string): unknown => {
    using opened = new DatabaseSync(file);
    return opened.prepare('SELECT * FROM account').all();
  };
  return {
    address: 'sqlite:shop.db',
    source: openSource('sqlite:shop.db', { ...OPTIONS, workingDirectory: folder }),
    state: () => Promise.resolve(rows(join(folder, 'shop.db'))),
    restoredState: (restored) => Promise.resolve(rows(join(restored, 'shop.db'))),
    change: async () => {
      await Promise.resolve();
      database.exec("UPDATE account SET name = 'changed' WHERE id % 5000 = 0");
    },
    held: async () => (await readdir(tmpdir())).filter((name) => name.startsWith('respaldo-sqlite-')),
    [Symbol.asyncDispose]: async () => {
      database.close();
      await rm(folder, { recursive: true });
    },
  };
});

describeSource('a Redis server', async (): Promise<SourceFixture> => {
  const server = await RedisServer.start();
  server.fill(20_000, (key) => Buffer.from(noise(key, 60)).toString('hex'));
  return {
    address: server.address,
    source: openSource(server.address, OPTIONS),
    state: () => server.digest(),
    restoredState: async (restored) => {
      await using copy = await RedisServer.start([], restored);
      return await copy.digest();
    },
    change: async () => {
      await server.ask('SET', 'key:7', 'changed');
    },
    held: () => server.replicas(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
});

for (const { name, binaries } of SERVERS)
  describeSource(name, async (): Promise<SourceFixture> => {
    const installed = await binaries();
    const cluster = await Cluster.create(installed);
    await cluster.start();
    await cluster.query(
      'CREATE TABLE account AS SELECT id, md5(id::text) AS name FROM generate_series(1, 20000) AS id',
    );
    return {
      address: cluster.address,
      source: openSource(cluster.address, OPTIONS),
      state: () => rows(cluster),
      restoredState: (restored) => rowsOfCopy(installed, restored),
      change: async () => {
        await cluster.query("UPDATE account SET name = 'changed' WHERE id % 5000 = 0");
      },
      held: () => cluster.query('SELECT slot_name FROM pg_replication_slots'),
      [Symbol.asyncDispose]: async () => {
        await cluster.remove();
        await installed.remove();
      },
    };
  });

if (existsSync(DEBIAN_15))
  describeSource('a dump of Debian’s PostgreSQL 15', async (): Promise<SourceFixture> => {
    const installed = await debianBinaries();
    const cluster = await Cluster.create(installed);
    await cluster.start();
    await cluster.query(
      'CREATE TABLE account AS SELECT id, md5(id::text) AS name FROM generate_series(1, 100000) AS id',
    );
    const server = `host=${encodeURIComponent(cluster.folder)}&port=${String(cluster.port)}`;
    const address = `postgresql://postgres@/postgres?${server}&method=logical`;
    return {
      address,
      source: openSource(address, OPTIONS),
      state: () => rows(cluster),
      restoredState: (restored) => rowsOfDump(installed, join(restored, 'dump/postgres')),
      change: async () => {
        await cluster.query("UPDATE account SET name = 'changed' WHERE id % 50000 = 0");
      },
      held: () => cluster.query("SELECT pid FROM pg_stat_activity WHERE application_name IN ('respaldo', 'pg_dump')"),
      [Symbol.asyncDispose]: async () => {
        await cluster.remove();
        await installed.remove();
      },
    };
  });

async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pairs = files.map(async (file) => [file.slice(folder.length), await readFile(file, 'latin1')] as const);
  return Object.fromEntries(await Promise.all(pairs));
}

function rows(cluster: Cluster): Promise<unknown> {
  return cluster.query("SELECT count(*)::int, md5(string_agg(name, ',' ORDER BY id)) FROM account");
}

async function rowsOfCopy(installed: Binaries, data: string): Promise<unknown> {
  await chmod(dirname(data), 0o755); // the server's user must be able to reach it
  const copy = await Cluster.on(installed, data);
  try {
    await copy.start();
    return await rows(copy);
  } finally {
    await copy.remove();
  }
}

/** As anybody would restore it: by psql, in a server that knows nothing of the first one. */
async function rowsOfDump(installed: Binaries, folder: string): Promise<unknown> {
  const other = await Cluster.create(installed);
  try {
    await other.start();
    const env = { PGHOST: other.folder, PGPORT: String(other.port), PGUSER: 'postgres', PGDATABASE: 'postgres' };
    await promisify(execFile)(join(installed.folder, 'psql'), ['-X', '-q', '-f', join(folder, 'restore.sql')], { env });
    return await rows(other);
  } finally {
    await other.remove();
  }
}
