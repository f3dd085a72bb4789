import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Saved } from '../../src/repository/repository.ts';
import { postgres } from '../../src/sources/postgres/postgres.ts';
import { MemoryStore } from '../../src/stores/memory.ts';
import { addressOf, ioOf, requestFor, restoreDump } from '../fixtures/dumps.ts';
import { Cluster, DEBIAN_15, debianBinaries, type Binaries } from '../fixtures/postgres.ts';
import { NEVER, newRepository } from '../fixtures/repository.ts';

/** pgbench’s table of accounts at scale 6: what is measured at scale 50 shows at this size, too. */
const ROWS = 600_000;
/** As the numbers of scale 50 have them: two per cent of the rows, and 2000 random rows in five million. */
const APPENDED = ROWS / 50;
const UPDATED = ROWS / 2500;

// Millions of rows are written and dumped, several times.
describe.skipIf(!existsSync(DEBIAN_15))('of a dump that was taken before', { timeout: 120_000 }, () => {
  let binaries: Binaries;
  let server: Cluster;

  beforeAll(async () => {
    binaries = await debianBinaries();
    server = await Cluster.create(binaries);
    await server.start();
    await server.query('CREATE DATABASE bank');
    await run(
      `CREATE TABLE accounts (aid int PRIMARY KEY, bid int, balance int, filler char(84))`,
      `INSERT INTO accounts SELECT i, 1 + i / 100000, 0, '' FROM generate_series(1, ${String(ROWS)}) AS i`,
    );
  });

  afterAll(async () => {
    await server.remove();
    await binaries.remove();
  });

  it('only what has changed is stored anew, lists of pieces included, and all of it comes back', async () => {
    const repository = await newRepository(new MemoryStore(), { polynomial: 0x3da3358b4dc173n });
    const dump = async (): Promise<Saved> => {
      const source = postgres.open(addressOf(server, 'bank', 'method=logical'), {
        workingDirectory: '/',
        selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
        acceptDamagedPages: false,
      });
      const about = { time: new Date(), hostname: 'h', username: 'u', paths: source.paths, tags: [], excludes: [] };
      return await repository.save(source.capture(ioOf(), { type: 'full' }), about, {}, NEVER);
    };
    const { summary: first } = await dump();
    const { summary: again } = await dump();
    expect(again.dataBlobs).toBe(0);

    await run(
      `INSERT INTO accounts SELECT i, 1, 0, '' FROM generate_series(${String(ROWS + 1)}, ${String(ROWS + APPENDED)}) AS i`,
    );
    const { summary: appended } = await dump();
    expect(appended.dataAdded / first.dataAdded).toBeLessThan(0.05);
    expect(appended.dataAddedPacked / first.dataAddedPacked).toBeLessThan(0.05);

    await run(
      'SELECT setseed(0.5)',
      `UPDATE accounts SET balance = balance + 17
         WHERE aid IN (SELECT ceil(random() * ${String(ROWS)})::int FROM generate_series(1, ${String(UPDATED)}))`,
    );
    const { summary: updated, snapshot } = await dump();
    expect(updated.dataAdded / first.dataAdded).toBeLessThan(0.4);
    expect(updated.dataAddedPacked / first.dataAddedPacked).toBeLessThan(0.4);

    if (snapshot === undefined) throw new Error('nothing to restore from');
    const dumped = repository.readable(snapshot, NEVER);
    await restoreDump(requestFor({ dump: { snapshot: dumped }, address: addressOf(server, 'copy') }));
    const sum = 'SELECT count(*)::int AS rows, sum(balance)::int AS sum FROM accounts';
    expect(await server.query(sum, [], 'copy')).toEqual(await server.query(sum, [], 'bank'));
  });

  function run(...statements: readonly string[]): Promise<void> {
    return server.session(async (client) => {
      for (const statement of statements) await client.query(statement);
    }, 'bank');
  }
});
