import { isError, RespaldoError, throwIfAborted } from '../../../errors.ts';
import { unfinishedLeft } from '../../server/restore-failure.ts';
import type { ServerRestorePlan, ServerRestoreRequest, SourceIo } from '../../source.ts';
import { customsOf, parseTarget } from '../address.ts';
import { roleStatements } from './database-sql.ts';
import { abandonedDatabases, dropAbandoned } from './half-made.ts';
import { putInPlace } from './placing.ts';
import { ask, execute } from './psql-session.ts';
import { restorablesOf } from './restorable.ts';
import { dumpOf } from './restore-plan.ts';
import { maintenanceFor } from './target-server.ts';
import { explainRestore } from './tool-refusal.ts';
import { Toolbox } from './toolbox.ts';

/** How long tidying up may take when all else was cancelled. */
const TIDY_MS = 60_000;

/**
 * Everything is verified first; then each database is made beside the one that it replaces and compared with the dump's
 * record, and when all of them are there, they take their places by their names. Until then the server's databases are
 * untouched, unless `inPlace` asks for room.
 */
export async function carryOutServerRestore(
  plan: ServerRestorePlan,
  request: ServerRestoreRequest,
  io: SourceIo,
): Promise<void> {
  if (plan.obstacles.length > 0)
    throw new RespaldoError('target-refused', `cannot restore to ${plan.server}`, { hint: plan.obstacles.join(' ') });
  const restorables = await restorablesOf(plan, request);
  const { server: address } = parseTarget(request.address, customsOf(io.runtime.kind === 'host'));
  const open = (signal: AbortSignal): Promise<Toolbox> => Toolbox.open(address, request.password, io.runtime, signal);
  const tools = await open(io.signal);
  const version = await versionOf(tools, plan);
  const fitting = await fittingTools(tools, version);
  for (const { verify } of restorables) await verify(fitting);
  await dropLeft(fitting, plan, io);
  if (request.createRoles && plan.missingRoles.length > 0) await createRoles(fitting, plan, request);
  const openCalm = (): Promise<Toolbox> => open(AbortSignal.timeout(TIDY_MS));
  await putInPlace(restorables, { tools: fitting, maintenance: maintenanceOf(plan), request, version, openCalm }, io);
}

/** What the plan has shown, and is still there with nobody at work; what cannot be dropped is told. */
async function dropLeft(tools: Toolbox, plan: ServerRestorePlan, io: SourceIo): Promise<void> {
  const shown = (plan.abandoned ?? []).filter(({ isDropped }) => isDropped).map(({ name }) => name);
  if (shown.length === 0) return;
  const maintenance = maintenanceOf(plan);
  for (const { name } of await abandonedDatabases(tools, maintenance)) {
    if (!shown.includes(name)) continue;
    try {
      await dropAbandoned(tools, maintenance, name);
    } catch (error) {
      throwIfAborted(io.signal);
      io.report(unfinishedLeft(name, error));
    }
  }
}

/** Those of the server's version where they are installed; older ones can feed a newer server as well. */
async function fittingTools(tools: Toolbox, version: number): Promise<Toolbox> {
  try {
    return await tools.ofVersion(Math.floor(version / 10_000));
  } catch (error) {
    if (isError(error, 'tool-missing')) return tools;
    throw error;
  }
}

async function createRoles(tools: Toolbox, plan: ServerRestorePlan, { dump }: ServerRestoreRequest): Promise<void> {
  if ('file' in dump) return;
  const { facts } = await dumpOf(dump.snapshot, dump.folder);
  const globals = await dump.snapshot.read(facts.globals.file);
  const statements = roleStatements(Buffer.from(globals ?? []).toString('utf8'), plan.missingRoles);
  const script = ['BEGIN;', ...statements, 'COMMIT'].join('\n');
  try {
    await execute(tools, maintenanceOf(plan), script);
  } catch (error) {
    throw explainRestore(error);
  }
}

function maintenanceOf({ databases }: ServerRestorePlan): string {
  return maintenanceFor(databases.map(({ target }) => target));
}

async function versionOf(tools: Toolbox, plan: ServerRestorePlan): Promise<number> {
  const sql = "SELECT current_setting('server_version_num')::int AS number";
  return Number((await ask(tools, maintenanceOf(plan), sql))[0]?.number);
}
