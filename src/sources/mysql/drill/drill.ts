import type { DrillCheck } from '../../../domain/drill.ts';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { Stopwatch } from '../../../domain/stopwatch.ts';
import { isError, throwIfAborted } from '../../../errors.ts';
import type { DrillReport, DrillRequest, SourceIo } from '../../source.ts';
import { readFacts, type LogicalFacts } from '../logical/facts.ts';
import { findPhysicalFacts } from '../physical/facts.ts';
import { carryOutServerRestore } from '../restore/carry-out.ts';
import { planServerRestore } from '../restore/plan.ts';
import { checkAssertions, placeAssertions } from './assertions.ts';
import { drillFiles } from './files.ts';
import { refutation } from './refutation.ts';
import { ThrowAwayServer } from './throwaway-server.ts';

/** A new server's own files, and its log. Bytes. */
const OF_ITS_OWN = 512 * 1024 ** 2;

/** See {@link Driller.neededBytes}. */
export async function neededBytes(snapshot: ReadableSnapshot): Promise<number> {
  const files = await findPhysicalFacts(snapshot);
  if (files !== undefined) return files.chain.reduce((sum, { bytes }) => sum + bytes, OF_ITS_OWN);
  const { databases } = await readFacts(snapshot);
  return databases.reduce((sum, { bytes, dumpBytes }) => sum + Math.max(bytes, dumpBytes), OF_ITS_OWN);
}

/** Rehearses what the snapshot holds: files, or dumps. */
export async function drill(request: DrillRequest, io: SourceIo): Promise<DrillReport> {
  const files = await findPhysicalFacts(request.snapshot);
  return files === undefined ? drillDumps(request, io) : drillFiles(files, request, io);
}

/** Restores the dumps into a new server, as into any other, compares them with their record, and looks into them. */
async function drillDumps(request: DrillRequest, io: SourceIo): Promise<DrillReport> {
  const { settings, snapshot } = request;
  const facts = await readFacts(snapshot);
  const placed = placeAssertions(
    settings.assertions,
    facts.databases.map(({ name }) => name),
  );
  const watch = new Stopwatch(request);
  const server = await ThrowAwayServer.prepare(facts.product, request, io);
  try {
    await watch.measure('start', () => server.start(io.signal));
    await watch.measure('load', () => load(server, request, io));
    const tools = await server.tools(io.signal);
    const checks = await watch.measure('check', () => checkAssertions(tools, placed, settings));
    return { server: server.name, times: watch.times, checks: [compared(facts), ...checks] };
  } finally {
    await server.stop();
  }
}

/** @throws RespaldoError `not-proven` where the dumps do not restore to what was dumped. */
async function load(server: ThrowAwayServer, { snapshot }: DrillRequest, io: SourceIo): Promise<void> {
  const order = {
    dump: { snapshot },
    address: server.address,
    password: '',
    // By its own name: what names its database finds it.
    inPlace: true,
    disconnect: true,
    createRoles: true,
    keepOld: false,
  };
  try {
    const plan = await planServerRestore(order, io);
    if (plan.obstacles.length > 0) throw refutation(plan.obstacles.join(' '), undefined);
    await carryOutServerRestore(plan, order, io);
  } catch (error) {
    throwIfAborted(io.signal);
    const isTheDumps = ['incomplete', 'source-refused', 'source-missing', 'source-lost', 'command-failed'] as const;
    if (!isTheDumps.some((code) => isError(error, code))) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw refutation(`the dump does not restore: ${said}\n${await server.lastWords()}`, error);
  }
}

/** A restore that ended well has compared everything. */
function compared({ databases }: LogicalFacts): DrillCheck {
  const tables = databases.flatMap((database) => database.tables);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const detail = `${String(tables.length)} tables and sequences with ${String(rows)} rows, and what else there is, are as they were dumped`;
  return { name: 'record', passed: true, detail };
}
