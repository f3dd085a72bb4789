import { on } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace, type Started } from '../fixtures/cli.ts';
import { HAS_MARIADB, MariaServer } from '../fixtures/mariadb.ts';

const ROWS = 'SELECT GROUP_CONCAT(i ORDER BY i) FROM shop.t';

describe.skipIf(!HAS_MARIADB)('respaldo stream', () => {
  let place: Workplace;
  let server: MariaServer;
  let last: Started | undefined;

  beforeAll(async () => {
    place = await Workplace.make();
    await place.makeRepository();
    server = await MariaServer.start();
  });
  afterAll(async () => {
    last?.child.kill('SIGKILL');
    await last?.ended;
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  /** Follows the log, and resolves when so many transactions are stored that came since it began. */
  async function stored(transactions: number): Promise<Started> {
    last = place.start(['stream', server.address('', 'method=binlogs'), '--every', '1s', '--json']);
    const { stdout } = last.child;
    if (stdout === null) throw new Error('it has no output');
    let text = '';
    for await (const [piece] of on(stdout, 'data', { close: ['end'] }) as AsyncIterable<[string]>) {
      text += piece;
      const stretches = text.split('\n').filter((line) => line.includes('"stored"'));
      const counts = stretches.map((line) => {
        try {
          const { transactions: more, replaces_last: replaces } = JSON.parse(line) as Record<string, unknown>;
          return { more: Number(more), replaces: replaces === true };
        } catch {
          return { more: 0, replaces: false };
        }
      });
      const told = counts.reduce((sum, { more, replaces }) => (replaces ? more : sum + more), 0);
      if (told >= transactions) return last;
    }
    throw new Error(`it ended: ${JSON.stringify(await last.ended)}`);
  }

  /** As this machine remembers them, of the log alone; the newest first. */
  const runs = async (): Promise<readonly unknown[]> =>
    JSON.parse(await place.ok('runs', `${pathOf(server)}/binlogs`, '--json')) as unknown[];

  it('survives kill -9, restarts of the server and its own end, and leads to any moment', async () => {
    await server.query('CREATE DATABASE shop; CREATE TABLE shop.t (i INT PRIMARY KEY) ENGINE=InnoDB');
    await place.ok('backup', server.address());
    await place.ok('backup', server.address('', 'method=binlogs'));

    await server.query('INSERT INTO shop.t VALUES (1)');
    const killed = await stored(1);
    await server.query('INSERT INTO shop.t VALUES (2)');
    killed.child.kill('SIGKILL');
    await killed.ended;
    await server.query('INSERT INTO shop.t VALUES (3)');
    await server.resume();
    await server.query('INSERT INTO shop.t VALUES (4)');
    const ending = await stored(3);
    ending.child.kill('SIGTERM');
    expect(await ending.ended).toMatchObject({ code: 0 });

    const [, killedRun, ...others] = (await runs()).toReversed();
    expect(killedRun).toMatchObject({ operation: 'backup', type: 'incremental', outcome: { state: 'succeeded' } });
    expect(others).toMatchObject([{ outcome: { state: 'succeeded', snapshot: expect.any(String) as string } }]);

    // What came while nobody followed is read by whoever comes next.
    await server.query('INSERT INTO shop.t VALUES (5)');
    const gtid = await server.query('SELECT @@gtid_binlog_pos');
    await server.query('DELETE FROM shop.t');
    const bad = (await server.query('SELECT @@gtid_binlog_pos')).trim();
    await place.ok('backup', server.address('', 'method=binlogs'));

    const base = ['latest', '--path', `${pathOf(server)}/databases`, '--to', server.address(), '--yes'];
    expect(await place.ok('restore', ...base, '--until', bad, '--dry-run')).toContain(`(${bad})`);
    await place.ok('restore', ...base, '--until', bad);
    expect(await server.query(ROWS)).toBe('1,2,3,4,5');
    await place.ok('restore', ...base, '--until', gtid);
    expect(await server.query(ROWS)).toBe('1,2,3,4');
    const refused = await place.respaldo('restore', ...base, '--until', '2100-01-01 00:00:00');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('is not covered') as string });

    // No rule takes away what leads on from the base.
    expect(await place.ok('forget', '--keep-last', '1', '--prune')).toContain('others that stay need it');
    await place.ok('restore', ...base, '--until', bad);
    expect(await server.query(ROWS)).toBe('1,2,3,4,5');
  });

  it('says what it takes', async () => {
    expect(await place.respaldo('stream', place.folder)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nothing can be followed') as string,
    });
    expect(await place.respaldo('restore', 'latest', '--target', place.path('r'), '--until', 'latest')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--until needs --to') as string,
    });
    await server.query("CREATE USER poor@'127.0.0.1' IDENTIFIED BY 'x'");
    const address = `${server.addressOf('poor')}?method=binlogs`;
    const { child, ended } = place.start(['stream', address], { MYSQL_PWD: 'wrong' });
    expect(await ended).toMatchObject({ code: 1, stderr: expect.stringContaining('Access denied') as string });
    expect(child.exitCode).toBe(1);
    const [failed] = JSON.parse(await place.ok('runs', '--json')) as unknown[];
    expect(failed).toMatchObject({ outcome: { state: 'failed', error: expect.stringContaining('denied') as string } });
  });
});

function pathOf({ socket }: MariaServer): string {
  return `/mysql${socket}`;
}
