/** Restores a server's databases as they were at a moment: a base, then the log up to there. */
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { RespaldoError } from '../../../errors.ts';
import type { ArchivedRestoreRequest, ServerRestorePlan, ServerRestoreRequest, SourceIo } from '../../source.ts';
import { parseTarget } from '../address.ts';
import { privilegesOf } from '../logical/privileges.ts';
import { findPhysicalFacts } from '../physical/facts.ts';
import { productName, type Product } from '../product.ts';
import { carryOutArchivedRestore, carryOutServerRestore } from '../restore/carry-out.ts';
import { planArchivedRestore, planServerRestore } from '../restore/plan.ts';
import { dumpOf } from '../restore/snapshot-dump.ts';
import { inspectDatabases, inspectServer, type ServerInventory } from '../logical/inventory.ts';
import { Session } from '../session.ts';
import { Toolbox } from '../toolbox.ts';
import { parseMoment } from './moment.ts';
import { replay } from './replay.ts';
import { fitReader } from './survey.ts';
import { planReplay, type Replay, type ReplayBase } from './replay-plan.ts';
import type { Renaming, Scope } from './scope.ts';
import { archivedStretches, stretchesOf } from './stored-log.ts';

/** What is asked for: a base in a repository or in archives, and a moment. */
export type PointInTime = ServerRestoreRequest | ArchivedRestoreRequest;

/** A base, and whether it is restored here or was restored before, by hand. */
interface Base extends ReplayBase {
  readonly isDump: boolean;
}

/** Looks at dump, log and server, and changes nothing. Reads all of the log that it takes. */
export async function planPointInTime(request: PointInTime, io: SourceIo): Promise<ServerRestorePlan> {
  const tools = await openTools(request, io);
  const target = await inspectReplayTarget(tools);
  const base = await baseOf(request, target, io);
  const plan = base.isDump ? await planBase(request, io) : emptyPlan(tools, target.server);
  const planned = await plannedReplay(request, base, io);
  const obstacles = [
    ...plan.obstacles,
    ...('walk' in planned ? [] : planned),
    ...unspeakable(base.scope.renamed),
    ...targetObstacles(base, target),
  ];
  return { ...plan, obstacles, ...('walk' in planned && { replay: planned.shown }) };
}

/** What was replaced is kept: a replay may stop in the middle. */
export async function carryOutPointInTime(plan: ServerRestorePlan, request: PointInTime, io: SourceIo): Promise<void> {
  const tools = await openTools(request, io);
  const base = await baseOf(request, await inspectReplayTarget(tools), io);
  const planned = await plannedReplay(request, base, io);
  if (!('walk' in planned)) throw refused(plan, planned);
  requireSamePlan(plan, planned);
  if (base.isDump) await restoreBase(plan, { ...request, keepOld: !request.inPlace }, io);
  else if (plan.obstacles.length > 0) throw refused(plan, plan.obstacles);
  await replay(planned, tools);
}

function planBase(request: PointInTime, io: SourceIo): Promise<ServerRestorePlan> {
  return 'copies' in request ? planArchivedRestore(request, io) : planServerRestore(request, io);
}

async function restoreBase(plan: ServerRestorePlan, request: PointInTime, io: SourceIo): Promise<void> {
  if ('copies' in request) return carryOutArchivedRestore(plan, request, io);
  const { until: _until, logs: _logs, ...dump } = request;
  await carryOutServerRestore(plan, dump, io);
}

async function plannedReplay(
  request: PointInTime,
  base: Base,
  { signal }: SourceIo,
): Promise<Replay | readonly string[]> {
  const { product } = base;
  const stored =
    'copies' in request
      ? await archivedStretches(request.logs, product, signal)
      : await stretchesOf(request.logs ?? [], product, signal);
  return planReplay(base, parseMoment(request.until ?? 'latest'), stored, signal);
}

async function baseOf(request: PointInTime, target: ReplayTarget, io: SourceIo): Promise<Base> {
  if ('copies' in request) return archivedBase(request, target, io);
  const snapshot = snapshotOf(request);
  const physical = await findPhysicalFacts(snapshot);
  if (physical !== undefined) {
    const { position, product } = physical;
    return { ...(position && { position }), product, scope: EVERYTHING, isDump: false };
  }
  const folder = 'snapshot' in request.dump ? request.dump.folder : undefined;
  const { facts, databases } = await dumpOf(snapshot, folder);
  const { position, product, meant } = facts;
  const names = databases.map(({ name }) => name);
  const renaming = renamingOf(names, request, io);
  const scope = {
    isWhole: meant?.all === true && folder === undefined && renaming.renamed === undefined,
    names,
    except: meant?.exclude ?? [],
    foreign: foreignTo(names, target),
    ...renaming,
  };
  return { ...(position && { position }), product, scope, isDump: true };
}

/** @throws RespaldoError `usage` for files of several states */
function archivedBase(request: ArchivedRestoreRequest, target: ReplayTarget, io: SourceIo): Base {
  const { copies } = request;
  const names = copies.map(({ database }) => database);
  const places = new Set(copies.map(({ facts }) => facts['binlog'] ?? ''));
  if (places.size > 1)
    throw new RespaldoError('usage', `${names.join(', ')} were not taken at one place of the log`, {
      hint: 'Restore one at a time: --database NAME.',
    });
  const [, file, offset] = /^(.+):(\d+)$/s.exec([...places].join('')) ?? [];
  // Only the last one may know it.
  const gtid = copies.map(({ facts }) => facts['gtid']).findLast((known) => known !== undefined);
  const position = file !== undefined && {
    position: { file, offset: Number(offset), ...(gtid !== undefined && { gtid }) },
  };
  const product: Product = copies.every(({ versions }) => 'MariaDB' in versions) ? 'mariadb' : 'mysql';
  if (copies.some(({ extension }) => extension === 'xb'))
    return { ...position, product, scope: EVERYTHING, isDump: false };
  const renaming = renamingOf(names, request, io);
  const scope = { isWhole: false, names, except: [], foreign: foreignTo(names, target), ...renaming };
  return { ...position, product, scope, isDump: true };
}

const EVERYTHING = { isWhole: true, names: [], except: [], isEverything: true } as const;

/** Of a base of a single database. */
function renamingOf(names: readonly string[], { address }: PointInTime, { runtime }: SourceIo): Pick<Scope, 'renamed'> {
  const { database: to } = parseTarget(address, runtime.kind === 'host');
  const [from] = names;
  return from === undefined || to === undefined || from === to ? {} : { renamed: { from, to } };
}

/** The programs take both names in one word, and know no quotes. */
function unspeakable(renamed: Renaming | undefined): string[] {
  if (renamed === undefined || [renamed.from, renamed.to].every((name) => /^[\w$-]+$/.test(name))) return [];
  return [
    `"${renamed.from}" cannot become "${renamed.to}": the program that reads the log takes only names of letters, digits, _, $ and -. Choose such a name, or restore it under its own, on another server.`,
  ];
}

function foreignTo(names: readonly string[], { databases }: ReplayTarget): readonly string[] {
  return databases.filter((name) => !names.includes(name));
}

function snapshotOf({ dump }: ServerRestoreRequest): ReadableSnapshot {
  if ('snapshot' in dump) return dump.snapshot;
  throw new RespaldoError('usage', 'a file of another tool does not tell its place in the log', {
    hint: 'Name a snapshot, or leave --until out.',
  });
}

async function openTools(request: PointInTime, { runtime, signal }: SourceIo): Promise<Toolbox> {
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
    unfinished: [],
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
