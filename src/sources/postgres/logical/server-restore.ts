import { isError, RespaldoError } from '../../../errors.ts';
import type { ServerRestorePlan, ServerRestoreRequest, SourceIo } from '../../source.ts';
import { customsOf, parseTarget } from '../address.ts';
import { roleStatements } from './database-sql.ts';
import { Place } from './place.ts';
import { execute, PsqlSession } from './psql-session.ts';
import { restorablesOf } from './restorable.ts';
import { dumpOf } from './restore-plan.ts';
import { maintenanceFor } from './target-server.ts';
import { explainRestore } from './tool-refusal.ts';
import { Toolbox } from './toolbox.ts';

/** How long tidying up may take when all else was cancelled. */
const TIDY_MS = 60_000;

/**
 * Everything is verified first; then each database is made beside the one that it replaces, compared with the dump's
 * record, and takes its place by its name. Until then the server's databases are untouched, unless `inPlace` asks for
 * room.
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
  if (request.createRoles && plan.missingRoles.length > 0) await createRoles(fitting, plan, request);
  for (const restorable of restorables) {
    const place = new Place(fitting, restorable.planned, request, () => open(AbortSignal.timeout(TIDY_MS)));
    await place.fill(restorable, version, io);
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

async function createRoles(
  tools: Toolbox,
  { missingRoles, databases }: ServerRestorePlan,
  { dump }: ServerRestoreRequest,
): Promise<void> {
  if ('file' in dump) return;
  const { facts } = await dumpOf(dump.snapshot, dump.folder);
  const globals = await dump.snapshot.read(facts.globals.file);
  const statements = roleStatements(Buffer.from(globals ?? []).toString('utf8'), missingRoles);
  const script = ['BEGIN;', ...statements, 'COMMIT'].join('\n');
  try {
    await execute(tools, maintenanceFor(databases[0]?.target ?? ''), script);
  } catch (error) {
    throw explainRestore(error);
  }
}

async function versionOf(tools: Toolbox, { databases }: ServerRestorePlan): Promise<number> {
  const session = new PsqlSession(tools, maintenanceFor(databases[0]?.target ?? ''));
  const [row] = await session.query("SELECT current_setting('server_version_num')::int AS number");
  await session.close();
  return Number(row?.number);
}
