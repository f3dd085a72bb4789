import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DrillCheck } from '../../../domain/drill.ts';
import { isError, throwIfAborted } from '../../../errors.ts';
import type { DrillReport, DrillRequest, SourceIo } from '../../source.ts';
import type { LogicalFacts } from '../logical/facts.ts';
import { planServerRestore } from '../logical/restore-plan.ts';
import { carryOutServerRestore } from '../logical/server-restore.ts';
import { identifier, literal } from '../logical/sql.ts';
import { checkServer } from './checks.ts';
import { inDatabase } from './databases.ts';
import { refutation, refuting } from './refutation.ts';
import { Stopwatch } from '../../../domain/stopwatch.ts';
import { ThrowAwayServer } from './throwaway-server.ts';

/** Restores the dumps into a new server, as into any other, compares them with their record, and looks into them. */
export async function drillDumps(facts: LogicalFacts, request: DrillRequest, io: SourceIo): Promise<DrillReport> {
  const { settings } = request;
  const watch = new Stopwatch(request);
  const server = await ThrowAwayServer.prepare(majorOf(facts), request, io);
  try {
    await watch.measure('start', async () => {
      await server.initialize(io.signal);
      await server.configure();
      await server.start(io.signal);
    });
    await watch.measure('load', () => load(server, facts, request, io));
    const checks = await watch.measure('check', () =>
      refuting(server, io.signal, async () => [compared(facts), ...(await checkServer(server, settings, io))]),
    );
    return { server: server.name, times: watch.times, checks };
  } finally {
    await server.stop();
  }
}

/** 150008 → 15 */
export function majorOf({ serverVersionNumber }: LogicalFacts): number {
  return Math.floor(serverVersionNumber / 10_000);
}

/** @throws RespaldoError `not-proven` where the dumps do not restore to what was dumped. */
async function load(server: ThrowAwayServer, facts: LogicalFacts, request: DrillRequest, io: SourceIo): Promise<void> {
  await makeTablespaces(server, facts, request, io);
  const order = {
    dump: { snapshot: request.snapshot },
    address: server.address(),
    inPlace: false,
    disconnect: true,
    createRoles: true,
    keepOld: false,
  };
  try {
    await carryOutServerRestore(await planServerRestore(order, io), order, io);
  } catch (error) {
    throwIfAborted(io.signal);
    const isTheDumps = ['incomplete', 'source-refused', 'source-damaged', 'command-failed'] as const;
    if (!isTheDumps.some((code) => isError(error, code))) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw refutation(`the dump does not restore: ${said}`, error);
  }
}

/** In folders of the drill's own: where they lay on the original server is nobody's business here. */
async function makeTablespaces(
  server: ThrowAwayServer,
  facts: LogicalFacts,
  { snapshot, folder }: DrillRequest,
  io: SourceIo,
): Promise<void> {
  const globals = Buffer.from((await snapshot.read(facts.globals.file)) ?? []).toString('utf8');
  for (const [number, name] of tablespaceNames(globals).entries()) {
    const place = join(folder, 'pg', `tablespace-${String(number)}`);
    await mkdir(place, { mode: 0o700 });
    await server.giveAway(place);
    const sql = `CREATE TABLESPACE ${identifier(name)} LOCATION ${literal(place)}`;
    await inDatabase(server, 'template1', io.signal, (connection) => connection.query(sql));
  }
}

/** Of pg_dumpall's text, where each statement has a line of its own. */
export function tablespaceNames(globals: string): readonly string[] {
  const names = globals.matchAll(/^CREATE TABLESPACE ("(?:[^"]|"")*"|\S+) OWNER /gm);
  return [...names].map(([, name = '']) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name));
}

/** A restore that ended well has compared everything. */
function compared({ databases }: LogicalFacts): DrillCheck {
  const relations = databases.flatMap((database) => database.relations);
  const rows = relations.reduce((sum, relation) => sum + (relation.rows ?? 0), 0);
  const detail = `${String(relations.length)} tables, views and sequences with ${String(rows)} rows are as they were dumped`;
  return { name: 'record', passed: true, detail };
}
