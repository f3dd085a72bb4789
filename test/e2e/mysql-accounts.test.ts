/** Accounts of MariaDB in archives, through the whole program. */
import { stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace } from '../fixtures/cli.ts';
import { HAS_MARIADB, MariaServer } from '../fixtures/mariadb.ts';

interface Listed {
  readonly archive: string;
  readonly key: string;
  readonly database: string;
  readonly plain: { readonly sha256: string };
}

describe.skipIf(!HAS_MARIADB)('Accounts and grants', () => {
  let place: Workplace;
  let server: MariaServer;

  beforeAll(async () => {
    place = await Workplace.make();
    await place.makeRepository();
    server = await MariaServer.start();
    const config = {
      repositories: { main: { url: './repository' } },
      archives: { here: { url: './here', name: '{plan}-{database}-{time}' }, late: { url: './late' } },
      plans: {
        shop: { source: server.address('shop'), repository: 'main', archives: ['here'], keep: { last: 1 } },
        alone: { source: server.address('shop'), archives: ['here'] },
      },
    };
    await writeFile(place.path('respaldo.yaml'), JSON.stringify(config), { mode: 0o600 });
    await server.query(
      `CREATE DATABASE shop; CREATE TABLE shop.t (i INT) ENGINE=InnoDB; INSERT INTO shop.t VALUES (7);
       CREATE USER app@localhost IDENTIFIED BY 'x'; GRANT SELECT ON *.* TO app@localhost;
       CREATE USER other@localhost; CREATE DEFINER=app@localhost VIEW shop.v AS SELECT i FROM shop.t`,
    );
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  const list = async (...argv: string[]): Promise<readonly Listed[]> =>
    JSON.parse(await place.ok('archive', 'list', '--json', ...argv)) as Listed[];
  const names = (files: readonly Listed[]): readonly string[] => files.map(({ database }) => database).toSorted();

  it('lie in an archive beside the databases, whatever that is made of, and are verified and kept with them', async () => {
    await place.ok('backup', 'alone', 'shop');
    const first = await list('--plan', 'shop');
    expect(names(first)).toEqual(['accounts', 'shop']);
    const [accounts] = await list('--plan', 'shop', '--database', 'accounts');
    const { key } = accounts ?? expect.fail();
    expect(key).toMatch(/^shop-accounts-\w+\.sql\.gz$/);
    expect((await stat(place.path(`here/${key}`))).mode & 0o777).toBe(0o600);
    expect(await place.ok('archive', 'verify', key)).toContain(key);

    await place.ok('archive', 'create', 'latest', '--plan', 'shop', '--archive', 'late');
    const sums = (await list('--database', 'accounts')).map(({ plain }) => plain.sha256);
    expect([sums.length, new Set(sums).size]).toEqual([3, 1]);

    await server.query('INSERT INTO shop.t VALUES (8)');
    await place.ok('backup', 'shop');
    expect(names(await list('--plan', 'shop', '--archive', 'here'))).toEqual(['accounts', 'accounts', 'shop', 'shop']);
    await place.ok('archive', 'forget', '--yes', '--archive', 'here');
    const rest = await list('--plan', 'shop', '--archive', 'here');
    expect(names(rest)).toEqual(['accounts', 'shop']);
    expect(rest.map((file) => file.key)).not.toContain(key);
  });

  it.each(['shop', 'alone'])('are made where a database of an archive needs them (plan %s)', async (plan) => {
    await server.query('DROP USER app@localhost, other@localhost');
    const restore = ['archive', 'restore', 'latest', '--plan', plan, '--archive', 'here'];
    const to = ['--to', server.address(`copy_of_${plan}`)];
    const refused = await place.respaldo(...restore, ...to);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('app@localhost: --create-roles')]);
    await place.ok(...restore, ...to, '--create-roles');
    expect(await server.query(`SELECT MIN(i) FROM copy_of_${plan}.v`)).toBe('7');
    expect(await server.query('SHOW GRANTS FOR app@localhost')).toContain("IDENTIFIED BY PASSWORD '*");
    await expect(server.query('SHOW GRANTS FOR other@localhost')).rejects.toThrow('1141');
    await server.query('CREATE USER other@localhost');
  });

  it('are no database: their file is for the client, and no server takes it as one', async () => {
    const argv = [
      'archive',
      'restore',
      'latest',
      '--plan',
      'alone',
      '--database',
      'accounts',
      '--to',
      server.address(),
    ];
    const refused = await place.respaldo(...argv);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('mariadb --binary-mode --force')]);
  });

  it('that are damaged keep nobody from a database, but are not made', async () => {
    const [accounts] = await list('--plan', 'alone', '--database', 'accounts');
    const { size } = await stat(place.path(`here/${accounts?.key ?? ''}`));
    await writeFile(place.path(`here/${accounts?.key ?? ''}`), Buffer.alloc(size));
    const restore = ['archive', 'restore', 'latest', '--plan', 'alone', '--to', server.address('another')];
    const refused = await place.respaldo(...restore, '--create-roles');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is damaged')]);
    expect((await place.respaldo(...restore)).stderr).toContain('nobody knows which accounts are missing');
    expect(await server.query('SELECT COUNT(*) FROM another.t')).toBe('1');
  });
});
