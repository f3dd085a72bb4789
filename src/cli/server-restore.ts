import path from 'node:path';
import { Option, type Command } from 'commander';
import { openRuntimeAt, sourceKinds } from '../compose.ts';
import { isLogStretch } from '../domain/log-stretch.ts';
import type { ReadableSnapshot } from '../domain/snapshot.ts';
import { RespaldoError } from '../errors.ts';
import { dumpFile } from '../operations/dump-file.ts';
import { expectRestore } from '../operations/expectation.ts';
import { recorded, type Recorder } from '../operations/recording.ts';
import {
  dumpedDatabases,
  planServerRestore,
  restoreToServer,
  type ServerRestorePorts,
} from '../operations/restore-server.ts';
import type { Repository } from '../repository/repository.ts';
import type {
  ArchivedRestoreRequest,
  Dump,
  DumpFile,
  ServerRestorePlan,
  ServerRestoreRequest,
} from '../sources/source.ts';
import type { ChosenSnapshot } from './choose-snapshot.ts';
import type { Invocation } from './invocation.ts';
import { quoted } from './printable.ts';
import { askText, canAsk, choose, confirm, notRestored } from './prompt.ts';
import { addRuntimeOptions, runtimeTarget, type RuntimeOptions } from './runtime-options.ts';
import { withRecorder } from './session.ts';
import { formatBytes, formatDuration } from './units.ts';
import { tellFinding } from './views/finding.ts';
import { parseUntil } from './time.ts';
import { replayedLine, serverPlanLines, serverPlanMessage } from './views/server-restore.ts';
import { snapshotTitle } from './views/snapshot.ts';

/** The options of `restore` that concern servers, as commander hands them over. */
export interface ServerOptions extends RuntimeOptions {
  readonly to?: string;
  readonly file?: string;
  readonly inPlace?: boolean;
  readonly disconnect?: boolean;
  readonly createRoles?: boolean;
  readonly keepOld?: boolean;
  readonly dropUnfinished?: boolean;
  readonly until?: Date | string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function addServerOptions(command: Command): Command {
  return addTargetServerOptions(addRuntimeOptions(command), ', or files into a volume, docker-volume:name')
    .option(
      '--file <dump>',
      'restore a file of another tool instead of a snapshot: .sql or .dump, also as .gz, .zst, .xz, .bz2',
    )
    .addOption(untilOption());
}

export function untilOption(): Option {
  return new Option(
    '--until <moment>',
    "go on from the dump by the server's stored log, up to what comes before: a time, bin.000012:4711, a GTID, or latest",
  ).argParser(parseUntil);
}

/** Which server, and how. @param others what else may be restored into */
export function addTargetServerOptions(command: Command, others = ''): Command {
  return command
    .option('--to <address>', `restore a dump into a server, postgresql://user@host/database${others}`)
    .option('--create-roles', 'make the roles that the dump speaks of and the server lacks')
    .option('--disconnect', 'end the sessions of others in a database that is replaced')
    .option('--in-place', 'drop the old database first: takes less room, and it is gone if the restore fails')
    .option('--keep-old', 'keep the database that is replaced, under another name')
    .option('--drop-unfinished', 'drop what killed restores have left half made in a PostgreSQL server');
}

/** Files of archives, and then the log that archives hold. */
type ArchivedDump = Pick<ArchivedRestoreRequest, 'copies' | 'accounts' | 'logs' | 'until'>;

/** What goes into a server. */
interface Work {
  readonly dump: Dump | ArchivedDump;
  /** For people. */
  readonly title: string;
  readonly address: string;
  /** What the memory of runs is to hold of it; absent: nothing. */
  readonly record?: { readonly repository: string; readonly snapshot: string };
  /** Snapshots that hold stretches of logs. */
  readonly logs?: readonly ReadableSnapshot[];
  /** Whoever chose it from a list has to say yes once more. */
  readonly isChosen: boolean;
}

/** A database of a snapshot, into a server. */
export async function restoreSnapshotToServer(
  repository: Repository,
  { snapshot, path: folder }: ChosenSnapshot,
  address: string,
  options: ServerOptions & { readonly isChosen: boolean },
  invocation: Invocation,
): Promise<void> {
  const readable = repository.readable(snapshot, invocation.signal);
  const chosen = folder ?? (await chosenDatabase(readable, address, options, invocation));
  const dump = { snapshot: readable, ...(chosen !== undefined && { folder: chosen }) };
  const record = { repository: repository.location, snapshot: snapshot.id };
  const logs = options.until === undefined ? undefined : await storedLogs(repository, invocation.signal);
  const title = snapshotTitle(snapshot);
  const work = { dump, address, title, record, isChosen: options.isChosen, ...(logs && { logs }) };
  await withRecorder(invocation, (recorder) => restore(work, options, invocation, recorder));
}

async function storedLogs(repository: Repository, signal: AbortSignal): Promise<readonly ReadableSnapshot[]> {
  const all = await repository.snapshots({}, signal);
  return all.filter(isLogStretch).map((snapshot) => repository.readable(snapshot, signal));
}

/** Of several databases the one that is meant, or all: asked of whoever has chosen the snapshot from a list as well. */
async function chosenDatabase(
  snapshot: ReadableSnapshot,
  address: string,
  { isChosen }: { readonly isChosen: boolean },
  { output, signal }: Invocation,
): Promise<string | undefined> {
  if (!isChosen || !canAsk(output)) return undefined;
  const databases = await dumpedDatabases(snapshot, address, await sourceKinds());
  if (databases.length < 2) return undefined;
  const width = Math.max(...databases.map(({ name }) => quoted(name).length));
  return choose<string | undefined>(
    'Which database?',
    [
      { value: undefined, label: `all ${String(databases.length)}` },
      ...databases.map(({ name, folder, bytes }) => ({
        value: folder,
        label: `${quoted(name).padEnd(width)}  ${formatBytes(bytes, 1)}`,
      })),
    ],
    signal,
  );
}

/** A file that another tool wrote, into a server. */
export async function restoreFileToServer(
  file: string,
  address: string,
  options: ServerOptions,
  invocation: Invocation,
): Promise<void> {
  if (options.createRoles === true)
    throw new RespaldoError('usage', '--create-roles is for snapshots: files of other tools do not hold the roles', {
      hint: 'Make the roles there before, by what `pg_dumpall --roles-only` writes.',
    });
  const dump = await dumpFile(path.resolve(file), invocation.signal);
  await restoreDumpToServer(dump, `the file ${quoted(file)}`, address, options, invocation);
}

/** @param title of the dump, for people */
export async function restoreDumpToServer(
  dump: DumpFile | ArchivedDump,
  title: string,
  address: string,
  options: ServerOptions,
  invocation: Invocation,
): Promise<void> {
  const work = { dump, address, title, isChosen: false };
  await withRecorder(invocation, (recorder) => restore(work, options, invocation, recorder));
}

async function restore(work: Work, options: ServerOptions, invocation: Invocation, recorder: Recorder): Promise<void> {
  const { output, clock, signal } = invocation;
  const ports: ServerRestorePorts = {
    runtime: await openRuntimeAt(runtimeTarget(options) ?? { kind: 'host' }, process.env, clock),
    kinds: await sourceKinds(),
    onFinding: (finding) => tellFinding(finding, 'restore', output),
  };
  const asked = requestOf(work, options);
  const first = await planServerRestore(asked, ports, signal);
  const expected = await expectRestore(recorder.catalog, first.server, first.neededBytes);
  output.json(serverPlanMessage(first, expected));
  for (const line of serverPlanLines(work.title, first, expected)) output.note(line);
  const withRoles = await offerRoles(first, asked, options, invocation);
  const request = await offerDropping(first, withRoles, options, invocation);
  const plan = request === asked ? first : await planServerRestore(request, ports, signal);
  if (plan.obstacles.length > 0)
    throw new RespaldoError('target-refused', `cannot restore to ${plan.server}`, { hint: plan.obstacles.join(' ') });
  if (options.dryRun === true) {
    output.note('a dry run: nothing was changed');
    return;
  }
  await requireConsent(plan, work, options, invocation);
  const startedAt = clock.monotonic();
  await remembered(plan, work, recorder, async () => {
    await restoreToServer(plan, request, ports, signal);
  });
  const names = plan.databases.map(({ target }) => target);
  output.json({ message_type: 'summary', databases: names });
  const took = formatDuration(clock.monotonic() - startedAt);
  const compared = 'file' in work.dump || 'copies' in work.dump ? '' : ', compared with what was dumped';
  if (plan.replay !== undefined) output.note(replayedLine(plan.replay));
  output.note(
    names.length === 0 ? `done in ${took}` : `restored ${names.map(quoted).join(', ')}${compared}, in ${took}`,
  );
}

function remembered(
  { server, neededBytes }: ServerRestorePlan,
  { record }: Work,
  recorder: Recorder,
  work: () => Promise<void>,
): Promise<void> {
  if (record === undefined) return work();
  const { repository, snapshot } = record;
  const run = { operation: 'restore', subject: server, repository } as const;
  return recorded(run, recorder, work, () => ({ state: 'succeeded', snapshot, bytesProcessed: neededBytes }));
}

function requestOf(
  { dump, address, logs }: Work,
  options: ServerOptions,
): ServerRestoreRequest | ArchivedRestoreRequest {
  const { inPlace = false, disconnect = false, createRoles = false, keepOld = false, dropUnfinished } = options;
  const how = { inPlace, disconnect, createRoles, keepOld, ...(dropUnfinished && { dropUnfinished }) };
  if (inPlace && keepOld)
    throw new RespaldoError('usage', '--in-place and --keep-old exclude each other', { hint: 'Give one of them.' });
  if ('copies' in dump) return { ...dump, address, ...how };
  const { until } = options;
  return {
    ...{ dump, address, ...how },
    ...(until !== undefined && { until }),
    ...(logs && { logs }),
  };
}

/** Roles that the server lacks are made as they were dumped if somebody at the terminal says so. */
async function offerRoles(
  { missingRoles }: ServerRestorePlan,
  request: ServerRestoreRequest | ArchivedRestoreRequest,
  options: ServerOptions,
  { output, signal }: Invocation,
): Promise<ServerRestoreRequest | ArchivedRestoreRequest> {
  const isOffered = missingRoles.length > 0 && !request.createRoles;
  if (!isOffered || options.dryRun === true || options.yes === true || !canAsk(output)) return request;
  const roles = missingRoles.map(quoted).join(', ');
  return (await confirm(`The server lacks the roles ${roles}: make them as they were dumped?`, signal))
    ? { ...request, createRoles: true }
    : request;
}

/** What is surely left of killed restores goes if somebody at the terminal says so. */
async function offerDropping(
  { abandoned = [] }: ServerRestorePlan,
  request: ServerRestoreRequest | ArchivedRestoreRequest,
  options: ServerOptions,
  { output, signal }: Invocation,
): Promise<ServerRestoreRequest | ArchivedRestoreRequest> {
  const left = abandoned.filter(({ isDropped }) => !isDropped).map(({ name }) => quoted(name));
  if (left.length === 0 || options.dryRun === true || options.yes === true || !canAsk(output)) return request;
  return (await confirm(`Killed restores have left ${left.join(', ')} half made: drop it before?`, signal))
    ? { ...request, dropUnfinished: true }
    : request;
}

/** A database is replaced only after its name was typed, or `--yes`. */
async function requireConsent(
  plan: ServerRestorePlan,
  { isChosen }: Work,
  options: ServerOptions,
  { output, signal }: Invocation,
): Promise<void> {
  if (options.yes === true) return;
  const replaced = plan.databases.filter(({ replaces }) => replaces !== undefined).map(({ target }) => target);
  const list = replaced.map(quoted).join(', ');
  if (replaced.length > 0 && !canAsk(output))
    throw new RespaldoError('usage', `this would replace ${list}, and nobody can be asked`, {
      hint: 'Add --yes if that is meant, or name another database in the address of --to.',
    });
  for (const name of replaced) {
    const question = `${quoted(name)} will be replaced, what is in it is lost. Type its name to go on`;
    if ((await askText(question, signal)) !== name) throw notRestored();
  }
  if (isChosen && replaced.length === 0 && !(await confirm('Restore it?', signal))) throw notRestored();
}
