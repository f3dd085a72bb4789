/**
 * The main job from start to end, on a real PostgreSQL: load a shop, back it up with its folder, work for a day, back up
 * again, prove the backup, destroy both, restore, start, compare. It goes through the same operations as the command line.
 *
 * Usage: `npm run demo`, or `npm run demo -- FOLDER` to leave the repository in another folder than `.respaldo-demo`.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { systemClock } from '../../src/clock.ts';
import { report } from '../../src/cli/errors.ts';
import { Output } from '../../src/cli/output.ts';
import { abortOnSignals } from '../../src/cli/signals.ts';
import { count } from '../../src/cli/units.ts';
import { embeddedBinaries } from './binaries.ts';
import { Cluster } from './cluster.ts';
import { aDay } from './day.ts';
import { changeFiles, makeFiles, printFolder, type FolderPrint } from './files.ts';
import { checkIndexes, printTables, type TablePrint } from './fingerprint.ts';
import { preparePlace, type Place } from './place.ts';
import { Protection, type Round } from './protection.ts';
import { backupTable, deduplication, whatToTry } from './report.ts';
import { DEMO_SIZE, openShop, TABLES } from './schema.ts';
import { formatSeconds, Steps } from './steps.ts';

const output = new Output({ json: false, quiet: false, verbosity: 0, color: process.stdout.isTTY });
const signal = abortOnSignals(systemClock, () => {
  output.status('');
});
try {
  await demonstrate(new Steps(output, signal));
} catch (error) {
  process.exitCode = report(error, output, signal);
}
output.flush();

async function demonstrate(steps: Steps): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const place = await preparePlace(process.argv[2]);
  const server = await openTheShop(steps, place, cleanup);
  await using protection = await Protection.begin(place, server.address, output, signal);
  const [first, taken] = await backUpTwice(steps, place, server, protection);
  const { value: proof } = await steps.run(
    'Prove it in a throw-away server',
    () => protection.prove(taken.server),
    ({ checks }) => `${count(checks, 'check')} passed`,
  );
  const second: Round = { ...taken, server: proof.outcome };

  const before = await fingerprint(place, server);
  await steps.run('DESTROY the data directory and the folder', () => destroy(place, server));
  const milliseconds = await recover(steps, place, server, protection, second);
  await steps.run(
    'Compare every row and every file',
    async () => {
      const after = await fingerprint(place, server);
      deepStrictEqual(after, before);
      return after;
    },
    ({ tables, files }) =>
      [...tables.map(({ table, rows }) => count(rows, table, table)), count(files.files, 'file')].join(', ') +
      ': equal',
  );
  await steps.run(
    'Check every index against its table',
    () => server.session(checkIndexes),
    (n) => count(n, 'index', 'indexes'),
  );
  await steps.run('Read, decrypt and hash the repository', () => protection.requireSound());
  await tell(place, first, second, milliseconds);
}

async function openTheShop(steps: Steps, place: Place, cleanup: AsyncDisposableStack): Promise<Cluster> {
  const { value: server } = await steps.run('Start PostgreSQL', async () => {
    const binaries = await embeddedBinaries();
    cleanup.defer(() => binaries.remove());
    const cluster = await Cluster.create(binaries);
    cleanup.defer(() => cluster.remove());
    await cluster.start();
    return cluster;
  });
  await steps.run(
    'Load the shop',
    async () => {
      await server.session((client) => openShop(client, DEMO_SIZE));
      await makeFiles(place.files);
    },
    () => TABLES.map((table) => count(DEMO_SIZE[table], table, table)).join(', '),
  );
  return server;
}

/** Before and after a day of work. */
async function backUpTwice(
  steps: Steps,
  place: Place,
  server: Cluster,
  protection: Protection,
): Promise<readonly [Round, Round]> {
  const { value: first } = await steps.run('Back up the folder and the server', () => protection.backUp());
  await steps.run(
    'Work for a day',
    async () => {
      await changeFiles(place.files);
      return server.session(aDay);
    },
    ({ created, updated, deleted }) => `${created} rows created, ${updated} updated, ${deleted} deleted`,
  );
  const { value: second } = await steps.run('Back up again', () => protection.backUp());
  return [first, second];
}

/** As a crash and a lost disk would. */
async function destroy(place: Place, server: Cluster): Promise<void> {
  await server.stop('immediate');
  await rm(server.data, { recursive: true });
  await rm(place.files, { recursive: true });
}

/** @returns milliseconds from the decision to restore to the first answered query: the recovery time. */
async function recover(
  steps: Steps,
  place: Place,
  server: Cluster,
  protection: Protection,
  { server: data, files }: Round,
): Promise<number> {
  const restored = await steps.run('Restore the server', () => protection.restore(data, server.data));
  const started = await steps.run('Start it, and let it answer a query', async () => {
    await server.start();
    return server.query('SELECT count(*) FROM pedidos');
  });
  await steps.run('Restore the folder', () => protection.restore(files, place.files, place.files));
  return restored.ms + started.ms;
}

interface Fingerprint {
  readonly tables: readonly TablePrint[];
  readonly files: FolderPrint;
}

async function fingerprint(place: Place, server: Cluster): Promise<Fingerprint> {
  return { tables: await server.session(printTables), files: await printFolder(place.files) };
}

async function tell(place: Place, first: Round, second: Round, recoveryMs: number): Promise<void> {
  const backups = [
    ['folder, first', first.files],
    ['server, first', first.server],
    ['folder, after a day', second.files],
    ['server, after a day', second.server],
  ] as const;
  const outcomes = backups.map(([, outcome]) => outcome);
  output.note(`
${backupTable(backups)}

Deduplication   ${await deduplication(outcomes, place.repository)}
Recovery time   ${formatSeconds(recoveryMs)} from the loss to the first answer
Result          ${output.style(['bold', 'green'], 'PROVEN')}: what came back is what was lost

${whatToTry(place, second)}`);
}
