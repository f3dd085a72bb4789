/** A MariaDB server by its files, at the command line: as snapshots, and as archives that are put back without Respaldo. */
import { execFile } from 'node:child_process';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { serverUser } from '../../examples/tienda/binaries.ts';
import { Workplace } from '../fixtures/cli.ts';
import { MARIADB } from '../fixtures/mysql-products.ts';
import { MysqlServer } from '../fixtures/mysql-server.ts';

const run = promisify(execFile);

interface Listed {
  readonly key: string;
  readonly chain: { readonly level: number };
  readonly facts: Readonly<Record<string, string>>;
  readonly restore: string;
}

describe('A MariaDB server by its files', () => {
  let server: MysqlServer;
  let place: Workplace;

  beforeAll(async () => {
    server = await MysqlServer.start(MARIADB);
    await server.query('CREATE DATABASE shop');
  });
  beforeEach(async () => {
    place = await Workplace.make();
    await server.query('CREATE OR REPLACE TABLE t AS SELECT seq AS id, MD5(seq) AS x FROM seq_1_to_1000', 'shop');
    await writeFile(
      place.path('respaldo.yaml'),
      `archives: { here: { url: ./here, name: '{plan}-{database}-{time}' } }
plans:
  server: { source: '${server.address('', 'method=physical')}', archives: [here], incremental-archives: true }\n`,
    );
  });
  afterEach(() => place[Symbol.asyncDispose]());
  afterAll(() => server[Symbol.asyncDispose]());

  const listed = async (): Promise<readonly Listed[]> =>
    JSON.parse(await place.ok('archive', 'list', '--json')) as Listed[];
  const twice = async (): Promise<string> => {
    await place.ok('backup', 'server');
    await server.query("DELETE FROM t WHERE id > 500; CREATE OR REPLACE TABLE more AS SELECT 'more' AS x", 'shop');
    await place.ok('backup', 'server');
    return server.dump('shop');
  };
  /** What a server that is started on the folder holds. */
  const stateOf = async (data: string): Promise<string> => {
    const { uid, gid } = serverUser() ?? {};
    if (uid !== undefined) await run('chown', ['-R', `${String(uid)}:${String(gid)}`, data]);
    await using copy = await MysqlServer.on(data, MARIADB);
    return await copy.dump('shop');
  };

  it('goes into archives in increments, which the commands that they name put back, and Respaldo too', async () => {
    const state = await twice();
    const files = await listed();
    expect(files.map(({ chain }) => chain.level)).toEqual([0, 1]);
    expect(files.map(({ facts }) => facts['binlog'])).toEqual([expect.stringMatching(/^bin\./), expect.anything()]);
    const folder = place.path('here');
    for (const { restore } of files) await run('bash', ['-ec', `set -o pipefail; ${restore}`], { cwd: folder });
    expect(await stateOf(join(folder, 'data'))).toBe(state);

    await place.ok('archive', 'restore', 'latest', '--target', 'back');
    expect(await stateOf(place.path('back'))).toBe(state);
  });

  it('goes into archives from the snapshots of a repository, increment by increment', async () => {
    await place.makeRepository();
    const config = {
      repositories: { main: { url: './repository' } },
      archives: { here: { url: './here', name: '{plan}-{database}-{time}', compression: 'none' } },
      plans: {
        server: {
          source: server.address('', 'method=physical'),
          repository: 'main',
          archives: ['here'],
          'incremental-archives': true,
        },
      },
    };
    await writeFile(place.path('respaldo.yaml'), JSON.stringify(config), { mode: 0o600 });
    await twice();
    await server.query("INSERT INTO t VALUES (7000, 'third')", 'shop');
    await place.ok('backup', 'server');
    const state = await server.dump('shop');
    const files = await listed();
    expect(files.map(({ chain }) => chain.level)).toEqual([0, 1, 2]);
    const snapshots = JSON.parse(await place.ok('snapshots', '--json')) as { readonly id: string }[];
    expect(files.map(({ facts }) => facts['snapshot'])).toEqual(snapshots.map(({ id }) => id));
    await place.ok('archive', 'verify');

    const folder = place.path('here');
    for (const { restore } of files) await run('bash', ['-ec', `set -o pipefail; ${restore}`], { cwd: folder });
    expect(await stateOf(join(folder, 'data'))).toBe(state);

    // All copies that the last snapshot is put together of, in one file.
    await rm(folder, { recursive: true });
    await place.ok('archive', 'create', 'latest', '--plan', 'server');
    await place.ok('archive', 'restore', 'latest', '--target', 'back');
    expect(await stateOf(place.path('back'))).toBe(state);
  });

  it('is not restored from a chain that is broken', async () => {
    await twice();
    const [full, increment] = await listed();
    await rename(place.path(`here/${full?.key ?? ''}`), place.path('elsewhere'));
    const { code, stderr } = await place.respaldo('archive', 'restore', increment?.key ?? '', '--target', 'back');
    expect([code, stderr]).toEqual([1, expect.stringContaining('the chain is broken') as string]);
    // Nothing builds upon what is gone.
    await place.ok('backup', 'server');
    expect((await listed()).at(-1)?.chain.level).toBe(0);
  });

  it('is a snapshot, restored where a server starts, and proven', async () => {
    await place.makeRepository();
    const address = server.address('', 'method=physical');
    await place.ok('backup', address);
    await server.query("INSERT INTO t VALUES (5000, 'new')", 'shop');
    expect(await place.ok('backup', address)).toContain('incremental, compared with');
    const said = await place.ok('restore', 'latest', '--target', 'data');
    expect(said).toContain('a MariaDB data directory that a server starts on');
    expect(await stateOf(place.path('data'))).toBe(await server.dump('shop'));
    const proof = await place.ok(
      'verify',
      'latest',
      '--assert',
      'SELECT COUNT(*) = 1001 FROM shop.t',
      '--database',
      'shop',
    );
    expect(proof).toMatch(/tables: \d+ tables were read and are sound/);

    await mkdir(place.path('full/already'), { recursive: true });
    const refused = await place.respaldo('restore', 'latest', '--target', 'full');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is not empty') as string]);
    const one = await place.respaldo('backup', server.address('shop', 'method=physical'));
    expect([one.code, one.stderr]).toEqual([2, expect.stringContaining('Leave the name out') as string]);
  });
});
