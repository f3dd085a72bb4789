/** A server as it was at a moment, of nothing but what archives hold. */
import { open, readdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace } from '../fixtures/cli.ts';
import { HAS_MARIADB, MariaServer } from '../fixtures/mariadb.ts';

describe.skipIf(!HAS_MARIADB)('A base and a log in archives', () => {
  let place: Workplace;
  let server: MariaServer;

  beforeAll(async () => {
    place = await Workplace.make();
    await place.makeRepository();
    server = await MariaServer.start();
    const config = {
      repositories: { main: { url: './repository' } },
      archives: { here: { url: './here', compression: 'zstd' }, there: { url: './there' } },
      plans: {
        base: { source: server.address(), archives: ['here', 'there'] },
        log: { source: server.address('', 'method=binlogs'), repository: 'main', archives: ['here', 'there'] },
      },
    };
    await writeFile(place.path('respaldo.yaml'), JSON.stringify(config), { mode: 0o600 });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  it('lead to any moment by one command, which verifies all that it takes before it touches anything', async () => {
    const content = async () =>
      [
        await server.query('SELECT GROUP_CONCAT(i ORDER BY i) FROM shop.t'),
        await server.query('SELECT MAX(i) FROM crm.t'),
      ].join(' ');
    await server.query(
      'CREATE DATABASE shop; CREATE TABLE shop.t (i INT) ENGINE=InnoDB; CREATE DATABASE crm; CREATE TABLE crm.t AS SELECT 1 AS i',
    );
    await place.ok('backup', 'base');
    await place.ok('backup', 'log');
    await server.query('INSERT INTO shop.t VALUES (1), (2); UPDATE crm.t SET i = 5');
    // The archives go on from there by themselves, whether or not the repository has it.
    await place.ok('backup', 'log');
    await server.query('INSERT INTO shop.t VALUES (3)');
    const good = await content();
    const bad = (await server.query('SELECT @@gtid_binlog_pos')).replace(/\d+$/, (number) =>
      String(Number(number) + 1),
    );
    await server.query('DELETE FROM shop.t; DROP TABLE crm.t');
    await place.ok('backup', 'log');
    const listed = JSON.parse(await place.ok('archive', 'list', '--json', '--plan', 'log')) as {
      readonly archive: string;
      readonly key: string;
      readonly facts: Readonly<Record<string, string>>;
    }[];
    expect(listed.filter(({ facts }) => facts['snapshot'] === undefined)).toEqual([]);

    const restore = ['archive', 'restore', 'latest', '--plan', 'base', '--to', server.address(), '--until', bad];
    expect(await place.ok(...restore, '--dry-run')).toContain(`(${bad})`);
    expect(await server.query("SHOW TABLES FROM crm LIKE 't'")).toBe('');
    await place.ok(...restore, '--yes');
    expect(await content()).toBe(good);

    const last = listed.findLast(({ archive }) => archive === 'there') ?? expect.fail();
    await using file = await open(place.path(`there/${last.key}`), 'r+');
    await file.write(Buffer.from('?'), 0, 1, 40);
    const before = await server.databases();
    const refused = await place.respaldo(...restore, '--yes', '--archive', 'there');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is damaged') as string]);
    expect(await server.databases()).toEqual(before);
    expect(await content()).toBe(good);
    expect((await readdir(place.path('here'))).toSorted()).toEqual(['base', 'log']);
  });

  it('are asked for in a way that leaves no doubt', async () => {
    const refused = async (...argv: string[]): Promise<unknown> => {
      const { code, stderr } = await place.respaldo('archive', 'restore', 'latest', '--until', 'latest', ...argv);
      return [code, stderr];
    };
    const said = (text: string): unknown => expect.stringContaining(text);
    expect(await refused('--target', 'x')).toEqual([2, said('--until needs --to')]);
    expect(await refused('--to', 'postgresql://postgres@localhost/shop')).toEqual([2, said('no log of other servers')]);
    expect(await refused('--to', server.address('copy'), '--plan', 'base', '--database', 'shop')).toEqual([
      1,
      said('"shop" cannot become "copy"'),
    ]);
  });
});
