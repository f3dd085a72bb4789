import { cp, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { embeddedBinaries } from '../../examples/tienda/binaries.ts';
import { connect } from '../../src/sources/postgres/connection.ts';
import { parseTarget } from '../../src/sources/postgres/address.ts';
import { checkDatabase } from '../../src/sources/postgres/drill/content-checks.ts';
import { Cluster } from '../fixtures/postgres.ts';
import { NEVER } from '../fixtures/repository.ts';

it('a server without amcheck is read row by row, which finds damaged rows, and says what it does not find', async () => {
  await using stack = new AsyncDisposableStack();
  const binaries = await embeddedBinaries();
  stack.defer(() => binaries.remove());
  const folder = await mkdtemp(join(tmpdir(), 'respaldo-poor-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await open(folder).then(async (handle) => {
    await handle.chmod(0o755);
    await handle.close();
  });
  await cp(dirname(binaries.folder), join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  const extensions = join(folder, 'native/share/postgresql/extension');
  for (const name of await readdir(extensions)) if (name.startsWith('amcheck')) await rm(join(extensions, name));
  const cluster = await Cluster.create({ ...binaries, folder: join(folder, 'native/bin') });
  stack.defer(() => cluster.remove());
  await cluster.start();
  await cluster.query('CREATE TABLE orders AS SELECT i, repeat(md5(i::text), 200) FROM generate_series(1, 500) AS i');
  const look = async () => {
    const { server } = parseTarget(
      `postgresql://postgres@/?host=${encodeURIComponent(cluster.folder)}&port=${String(cluster.port)}`,
    );
    const connection = await connect(server, undefined, { database: 'postgres' }, NEVER);
    try {
      return await checkDatabase(connection, 'postgres', NEVER);
    } finally {
      await connection.close();
    }
  };
  expect(await look()).toMatchObject({
    passed: true,
    detail: expect.stringMatching(/tables are sound, by reading every row; \d+ indexes were not looked into/) as string,
  });

  const [{ path = '' } = {}] = await cluster.query("SELECT pg_relation_filepath('orders') AS path");
  await cluster.stop();
  const file = await open(join(cluster.data, String(path)), 'r+');
  await file.write(Buffer.alloc(16, 0xa5), 0, 16, 9000);
  await file.close();
  await cluster.start();
  expect(await look()).toMatchObject({
    passed: false,
    detail: expect.stringContaining('public.orders: invalid page') as string,
  });
});
