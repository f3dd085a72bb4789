import { cp, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedBinaries, type Binaries } from '../../examples/tienda/binaries.ts';
import { connect } from '../../src/sources/postgres/connection.ts';
import { parseTarget } from '../../src/sources/postgres/address.ts';
import { checkDatabase } from '../../src/sources/postgres/drill/content-checks.ts';
import { Cluster, SERVERS } from '../fixtures/postgres.ts';
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
    detail: expect.stringMatching(
      /tables are sound, by reading every row; \d+ indexes were not looked into \(btree\)/,
    ) as string,
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

const INDEXES = [
  'CREATE INDEX by_hash ON things USING hash (word)',
  'CREATE INDEX by_gin ON things USING gin (numbers)',
  'CREATE INDEX "by Gist" ON things USING gist (span)',
  'CREATE INDEX by_spgist ON things USING spgist (lower(word))',
  'CREATE INDEX by_brin ON things USING brin (id) WITH (pages_per_range = 1)',
  'CREATE INDEX by_part ON things USING hash (id) WHERE id % 2 = 0',
];

describe.each(SERVERS)('In a drill of $name, indexes that are no B-trees', ({ binaries: get }) => {
  let cluster: Cluster;
  let binaries: Binaries;
  beforeAll(async () => {
    binaries = await get();
    cluster = await Cluster.create(binaries);
    await cluster.start();
    await cluster.query(`CREATE TABLE things AS SELECT id, md5((id / 3)::text) AS word, ARRAY[id, id % 7] AS numbers,
      int4range(id, id + 5) AS span, to_tsvector('simple', id::text) AS words FROM generate_series(1, 1000) AS id`);
    await cluster.query('ALTER TABLE things ADD PRIMARY KEY (id)');
    for (const sql of INDEXES) await cluster.query(sql);
    // Room for rows in the middle, which a BRIN index has already looked at.
    await cluster.query('DELETE FROM things WHERE id <= 500');
    await cluster.query('VACUUM things');
  });
  afterAll(async () => {
    await cluster.remove();
    await binaries.remove();
  });
  const look = async () => {
    const address = `postgresql://postgres@/?host=${encodeURIComponent(cluster.folder)}&port=${String(cluster.port)}`;
    const connection = await connect(parseTarget(address).server, undefined, { database: 'postgres' }, NEVER);
    try {
      return await checkDatabase(connection, 'postgres', NEVER);
    } finally {
      await connection.close();
    }
  };

  it('are asked for rows of the table, and pass if they find them', async () => {
    expect(await look()).toMatchObject({
      passed: true,
      detail: expect.stringMatching(/looked up, and found, in 6 indexes of other kinds$/) as string,
    });
    // What was put aside is there again.
    expect(await cluster.query('SELECT FROM pg_index WHERE NOT indisvalid')).toEqual([]);
  });

  it('that know no word for equal are named', async () => {
    await cluster.query('CREATE TABLE texts AS SELECT words FROM things');
    await cluster.query('CREATE INDEX by_text ON texts USING gist (words)');
    const { passed, detail } = await look();
    expect([passed, detail]).toEqual([true, expect.stringContaining('; 1 indexes were not looked into (gist)')]);
    await cluster.query('DROP TABLE texts');
  });

  it.each(['by_hash', 'by_gin', 'by Gist', 'by_spgist', 'by_brin', 'by_part'])(
    'fail if rows lack in %s',
    async (name) => {
      const ready = (is: boolean) =>
        cluster.query(`UPDATE pg_index SET indisready = ${String(is)} WHERE indexrelid = '"${name}"'::regclass`);
      await ready(false);
      await cluster.query(`INSERT INTO things SELECT id, md5(id::text), ARRAY[id], int4range(id, id + 5)
      FROM generate_series(2001, 2450) AS id`);
      await ready(true);
      const { passed, detail } = await look();
      expect({ passed, detail }).toMatchObject({ passed: false, detail: expect.stringContaining(name) as string });
      await cluster.query('DELETE FROM things WHERE id > 2000');
      await cluster.query('VACUUM things');
      await cluster.query('REINDEX TABLE things');
    },
  );
});
