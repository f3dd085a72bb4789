import type { DrillCheck } from '../../../domain/drill.ts';
import { Stopwatch } from '../../../domain/stopwatch.ts';
import { isError, RespaldoError, throwIfAborted } from '../../../errors.ts';
import type { DrillReport, DrillRequest, SourceIo } from '../../source.ts';
import { SYSTEM } from '../logical/inventory.ts';
import { findBackupProgram } from '../physical/backup-program.ts';
import type { PhysicalFacts } from '../physical/facts.ts';
import { requireSameSeries } from '../physical/prepare.ts';
import { assemble, necessaryOptions } from '../physical/restore.ts';
import { giveTo } from '../physical/settle.ts';
import { Session } from '../session.ts';
import { identifier, list } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';
import { checkAssertions, placeAssertions } from './assertions.ts';
import { refutation } from './refutation.ts';
import { ThrowAwayServer } from './throwaway-server.ts';

/** How many damaged tables are named. */
const NAMED = 5;

/** Puts the files together as a restore does, lets a server start on them, and checks every table. */
export async function drillFiles(facts: PhysicalFacts, request: DrillRequest, io: SourceIo): Promise<DrillReport> {
  const { settings } = request;
  const watch = new Stopwatch(request);
  const server = await ThrowAwayServer.prepare('mariadb', request, io);
  requireSameSeries({ name: 'the server', version: server.version }, facts.serverVersion, io.runtime.place);
  try {
    await watch.measure('fetch', () => putTogether(facts, server, request, io));
    await watch.measure('start', async () => server.startOn(await necessaryOptions(server.data), io.signal));
    const tools = await server.tools(io.signal);
    const checks = await watch.measure('check', async () => {
      const tables = await checkTables(tools);
      const placed = placeAssertions(settings.assertions, await databasesOf(tools));
      return [await compareDefinitions(facts, tools), tables, ...(await checkAssertions(tools, placed, settings))];
    });
    return { server: server.name, times: watch.times, checks };
  } finally {
    await server.stop();
  }
}

/** @throws RespaldoError `not-proven` for files that cannot be made usable. */
async function putTogether(
  facts: PhysicalFacts,
  server: ThrowAwayServer,
  { extract }: DrillRequest,
  { runtime, signal }: SourceIo,
): Promise<void> {
  const { user } = server.confinement;
  const program = await findBackupProgram(runtime, signal);
  const command = (argv: readonly [string, ...string[]]) => server.confinement.command(argv);
  try {
    await assemble(
      facts,
      { folder: server.data, extract },
      { runtime, program, signal, command, ...(user && { user }) },
    );
    if (user !== undefined) await giveTo(user, server.data);
  } catch (error) {
    throwIfAborted(signal);
    if (error instanceof RespaldoError && isError(error, 'source-damaged')) throw refutation(error.message, error);
    throw error;
  }
}

/** A table without its definition is gone, and so is a definition without its table. */
async function compareDefinitions({ definitions }: PhysicalFacts, tools: Toolbox): Promise<DrillCheck> {
  const [row] = await Session.with(tools, (session) =>
    session.query(
      { count: 'COUNT(*)' },
      `FROM information_schema.TABLES
       WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema') AND TABLE_TYPE <> 'TEMPORARY'`,
    ),
  );
  const found = Number(row?.count);
  const passed = found === definitions;
  const detail = passed
    ? `${String(found)} tables and views, as many as were copied`
    : `there are ${String(found)} tables and views instead of ${String(definitions)}`;
  return { name: 'record', passed, detail };
}

/** Reads every page and index of every table. */
async function checkTables(tools: Toolbox): Promise<DrillCheck> {
  const bad: string[] = [];
  const tables = await Session.with(tools, async (session) => {
    const rows = await session.query(
      { database: 'TABLE_SCHEMA', name: 'TABLE_NAME' },
      `FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')
         AND TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'sys') ORDER BY 1, 2`,
    );
    for (const { database, name } of rows) {
      const table = `${identifier(database ?? '')}.${identifier(name ?? '')}`;
      const said = await session.show(`CHECK TABLE ${table}`);
      const complaint = said.find(([, , kind, text]) => kind === 'error' || (kind === 'status' && text !== 'OK'));
      if (complaint !== undefined) bad.push(`${table}: ${complaint.at(3) ?? ''}`);
    }
    return rows.length;
  });
  const passed = bad.length === 0;
  const detail = passed
    ? `${String(tables)} tables were read and are sound`
    : `${String(bad.length)} of ${String(tables)} tables are damaged: ${bad.slice(0, NAMED).join('; ')}`;
  return { name: 'tables', passed, detail };
}

async function databasesOf(tools: Toolbox): Promise<readonly string[]> {
  const rows = await Session.with(tools, (session) =>
    session.query(
      { name: 'SCHEMA_NAME' },
      `FROM information_schema.SCHEMATA WHERE LOWER(SCHEMA_NAME) NOT IN (${list(SYSTEM)})`,
    ),
  );
  return rows.map(({ name }) => name ?? '');
}
