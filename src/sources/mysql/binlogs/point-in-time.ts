/** Restores a server's databases as they were at a moment: a base, then the log up to there. */
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { RespaldoError } from '../../../errors.ts';
import type { ServerRestorePlan, ServerRestoreRequest, SourceIo } from '../../source.ts';
import { parseTarget } from '../address.ts';
import { privilegesOf } from '../logical/privileges.ts';
import { findPhysicalFacts } from '../physical/facts.ts';
import { productName, type Product } from '../product.ts';
import { carryOutServerRestore } from '../restore/carry-out.ts';
import { dumpOf, planServerRestore } from '../restore/plan.ts';
import { inspectDatabases, inspectServer, type ServerInventory } from '../logical/inventory.ts';
import { Session } from '../session.ts';
import { Toolbox } from '../toolbox.ts';
import { parseMoment } from './moment.ts';
import { replay } from './replay.ts';
import { fitReader } from './survey.ts';
import { planReplay, type Replay, type ReplayBase } from './replay-plan.ts';

/** A base, and whether it is restored here or was restored before, by hand. */
interface Base extends ReplayBase {
  readonly isDump: boolean;
}

/** Looks at dump, log and server, and changes nothing. Reads all of the log that it takes. */
export async function planPointInTime(request: ServerRestoreRequest, io: SourceIo): Promise<ServerRestorePlan> {
  const snapshot = snapshotOf(request);
  const tools = await openTools(request, io);
  const target = await inspectReplayTarget(tools);
  const base = await baseOf(snapshot, request, target);
  const plan = base.isDump ? await planServerRestore(request, io) : emptyPlan(tools, target.server);
  const planned = await planReplay(base, parseMoment(request.until ?? 'latest'), request.logs ?? [], io.signal);
  const renamed = plan.databases.find(({ name, target: as }) => name !== as);
  const obstacles = [
    ...plan.obstacles,
    ...('walk' in planned ? [] : planned),
    ...(renamed === undefined
      ? []
      : [
          `"${renamed.name}" would become "${renamed.target}", and the log speaks of "${renamed.name}": restore it under its own name, on another server.`,
        ]),
    ...targetObstacles(base, target),
  ];
  return { ...plan, obstacles, ...('walk' in planned && { replay: planned.shown }) };
}

/** What was replaced is kept: a replay may stop in the middle. */
export async function carryOutPointInTime(
  plan: ServerRestorePlan,
  request: ServerRestoreRequest,
  io: SourceIo,
): Promise<void> {
  const tools = await openTools(request, io);
  const base = await baseOf(snapshotOf(request), request, await inspectReplayTarget(tools));
  const planned = await planReplay(base, parseMoment(request.until ?? 'latest'), request.logs ?? [], io.signal);
  if (!('walk' in planned)) throw refused(plan, planned);
  requireSamePlan(plan, planned);
  const { until: _until, logs: _logs, ...dump } = request;
  if (base.isDump) await carryOutServerRestore(plan, { ...dump, keepOld: !request.inPlace }, io);
  else if (plan.obstacles.length > 0) throw refused(plan, plan.obstacles);
  await replay(planned, tools);
}

function snapshotOf({ dump }: ServerRestoreRequest): ReadableSnapshot {
  if ('snapshot' in dump) return dump.snapshot;
  throw new RespaldoError('usage', 'a file of another tool does not tell its place in the log', {
    hint: 'Name a snapshot, or leave --until out.',
  });
}

async function baseOf(snapshot: ReadableSnapshot, { dump }: ServerRestoreRequest, target: ReplayTarget): Promise<Base> {
  const physical = await findPhysicalFacts(snapshot);
  if (physical !== undefined) {
    const { position, product } = physical;
    const scope = { isWhole: true, names: [], except: [], isEverything: true } as const;
    return { ...(position && { position }), product, scope, isDump: false };
  }
  const folder = 'snapshot' in dump ? dump.folder : undefined;
  const { facts, databases } = await dumpOf(snapshot, folder);
  const { position, product, meant } = facts;
  const names = databases.map(({ name }) => name);
  const scope = {
    isWhole: meant?.all === true && folder === undefined,
    names,
    except: meant?.exclude ?? [],
    foreign: target.databases.filter((name) => !names.includes(name)),
  };
  return { ...(position && { position }), product, scope, isDump: true };
}

async function openTools(request: ServerRestoreRequest, { runtime, signal }: SourceIo): Promise<Toolbox> {
  const { server } = parseTarget(request.address, runtime.kind === 'host');
  return Toolbox.open(server, request.password, runtime, signal);
}

interface ReplayTarget {
  readonly server: ServerInventory;
  /** Transactions have to have larger and larger numbers. */
  readonly isStrict: boolean;
  /** Of transactions that the server has logged itself. */
  readonly ownGtids: string;
  /** That are not the server's own. */
  readonly databases: readonly string[];
}

async function inspectReplayTarget(tools: Toolbox): Promise<ReplayTarget> {
  return Session.with(tools, async (session) => {
    const server = await inspectServer(session);
    await fitReader(tools, server.version.product);
    const databases = (await inspectDatabases(session)).map(({ name }) => name);
    if (server.version.product === 'mysql') return { server, databases, isStrict: false, ownGtids: '' };
    const [row] = await session.query({ strict: '@@global.gtid_strict_mode + 0', own: '@@global.gtid_binlog_pos' });
    return { server, databases, isStrict: row?.strict === '1', ownGtids: row?.own ?? '' };
  });
}

const REPLAYING = ['ALL PRIVILEGES', 'SUPER', 'BINLOG REPLAY', 'BINLOG_ADMIN', 'REPLICATION_APPLIER'];

function targetObstacles({ product, isDump }: Base, { server, isStrict, ownGtids }: ReplayTarget): string[] {
  const { everywhere } = privilegesOf(server.grants);
  const its = server.version.product;
  return [
    ...(its === product ? [] : [`The log is of ${productName(product)}, and the server is of ${productName(its)}.`]),
    ...(REPLAYING.some((name) => everywhere.has(name))
      ? []
      : [`${server.account} may not replay logs: GRANT ${privilegeOf(its)} ON *.* TO it.`]),
    ...(isStrict
      ? ['The server takes no transactions with older GTIDs: SET GLOBAL gtid_strict_mode = 0 meanwhile.']
      : []),
    ...(isDump || server.binaryLog
      ? []
      : ['Start the server with log_bin: without it nobody can tell whether it was written to since the base.']),
    ...(isDump || ownGtids === ''
      ? []
      : [
          'The server has transactions of its own: name the one that was started on the restored files, before anybody writes to it.',
        ]),
  ];
}

function privilegeOf(product: Product): string {
  return product === 'mariadb' ? 'BINLOG REPLAY' : 'BINLOG_ADMIN, SESSION_VARIABLES_ADMIN';
}

function emptyPlan(tools: Toolbox, { said }: ServerInventory): ServerRestorePlan {
  return {
    server: tools.server,
    serverVersion: said,
    databases: [],
    missingRoles: [],
    neededBytes: 0,
    obstacles: [],
  };
}

/** Nobody was asked about another one. */
function requireSamePlan({ replay: shown }: ServerRestorePlan, planned: Replay): void {
  if (shown !== undefined && shown.to === planned.shown.to && shown.transactions === planned.shown.transactions) return;
  throw new RespaldoError('target-refused', 'the stored log has changed since the plan was made', {
    hint: 'Run it again.',
  });
}

function refused({ server }: ServerRestorePlan, obstacles: readonly string[]): RespaldoError {
  return new RespaldoError('target-refused', `cannot restore to ${server}`, { hint: obstacles.join(' ') });
}
