/** A plan with a repository and archives reads its database once, as the server itself counts. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Workplace } from '../fixtures/cli.ts';
import { HAS_MARIADB, MariaServer } from '../fixtures/mariadb.ts';
import { Cluster, DEBIAN_15, debianBinaries } from '../fixtures/postgres.ts';

const ROWS = 5000;

/** Backs up to a repository and to two archives. @returns the command that restores a file of one by hand */
async function backedUp(place: Workplace, source: string): Promise<string> {
  const config = {
    repositories: { main: { url: './repository' } },
    archives: { here: { url: './here' }, fast: { url: './fast', compression: 'zstd' } },
    plans: { shop: { source, repository: 'main', archives: ['here', 'fast'] } },
  };
  await writeFile(place.path('respaldo.yaml'), JSON.stringify(config), { mode: 0o600 });
  await place.makeRepository();
  await place.ok('backup', 'shop');
  await place.ok('archive', 'verify');
  const listed = await place.ok('archive', 'list', '--json', '--database', 'shop');
  const files = JSON.parse(listed) as readonly { readonly archive: string; readonly restore: string }[];
  expect(files.map(({ archive }) => archive).toSorted()).toEqual(['fast', 'here']);
  const { restore } = files.find(({ archive }) => archive === 'here') ?? expect.fail();
  return `cd here/shop && ${restore}`;
}

describe.skipIf(!existsSync(DEBIAN_15))('A database of PostgreSQL', () => {
  it('is read once, and is the same in the repository and in each archive', async () => {
    await using stack = new AsyncDisposableStack();
    const binaries = await debianBinaries();
    stack.defer(() => binaries.remove());
    const server = await Cluster.create(binaries);
    stack.defer(() => server.remove());
    await server.start();
    const env = {
      PATH: `${DEBIAN_15}:${process.env.PATH ?? ''}`,
      PGHOST: server.folder,
      PGPORT: String(server.port),
      PGUSER: 'postgres',
    };
    const psql = (database: string, sql: string) =>
      execFileSync(join(DEBIAN_15, 'psql'), ['-XAtqd', database, '-v', 'ON_ERROR_STOP=1', '-c', sql], {
        encoding: 'utf8',
        env,
      }).trim();
    psql('postgres', 'CREATE DATABASE shop');
    psql(
      'shop',
      `CREATE TABLE orders AS SELECT i AS id, md5(i::text) AS text FROM generate_series(1, ${String(ROWS)}) AS i`,
    );
    psql('shop', 'ALTER TABLE orders ADD PRIMARY KEY (id)');
    const others = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop' AND pid <> pg_backend_pid()";
    await expect.poll(() => psql('shop', others)).toBe('0');
    psql('shop', 'SELECT pg_stat_reset()');

    await using place = await Workplace.make();
    const socket = encodeURIComponent(server.folder);
    const address = `postgresql://postgres@/shop?host=${socket}&port=${String(server.port)}&method=logical`;
    const byHand = await backedUp(place, address);
    await expect.poll(() => psql('shop', others)).toBe('0');
    expect(psql('shop', "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'orders'")).toBe(String(ROWS));

    psql('postgres', 'CREATE DATABASE copy');
    const command = byHand.replace('--dbname shop', '--quiet --dbname copy');
    execFileSync('bash', ['-o', 'pipefail', '-c', command], { cwd: place.folder, env, stdio: 'pipe' });
    const sum = "SELECT count(*), md5(string_agg(text, NULL ORDER BY id)), 'orders_pkey'::regclass FROM orders";
    expect(psql('copy', sum)).toBe(psql('shop', sum));
  });
});

describe.skipIf(!HAS_MARIADB)('A database of MariaDB', () => {
  it('is read once, and is the same in the repository and in each archive', async () => {
    await using server = await MariaServer.start();
    await server.query(`CREATE DATABASE shop; CREATE DATABASE copy`);
    await server.query(
      `CREATE TABLE orders (id INT PRIMARY KEY, text TEXT);
       INSERT INTO orders SELECT seq, MD5(seq) FROM seq_1_to_${String(ROWS)};
       CREATE VIEW few AS SELECT id FROM orders WHERE id < 10`,
      'shop',
    );
    const read = async () => Number(/\d+/.exec(await server.query("SHOW GLOBAL STATUS LIKE 'Rows_read'"))?.[0]);
    await using place = await Workplace.make();
    const before = await read();
    const byHand = await backedUp(place, server.address('shop'));
    const rows = (await read()) - before;
    expect(rows).toBeGreaterThanOrEqual(ROWS);
    expect(rows).toBeLessThan(2 * ROWS);

    const client = `mariadb --no-defaults --socket=${server.socket} -uroot`;
    const command = byHand.replace(/\| mariadb --binary-mode shop/, `| ${client} --binary-mode copy`);
    execFileSync('bash', ['-o', 'pipefail', '-c', command], { cwd: place.folder, stdio: 'pipe' });
    expect(await server.query('CHECKSUM TABLE copy.orders')).toBe(
      (await server.query('CHECKSUM TABLE shop.orders')).replace('shop.', 'copy.'),
    );
    expect((await server.query('SELECT COUNT(*) FROM copy.few')).trim()).toBe('9');
  });
});
