import type { Command } from 'commander';
import {
  openRuntimeOf,
  openSources,
  openStoppedJournal,
  openStreamSource,
  sourceAddresses,
  type StreamOptions,
} from '../../compose.ts';
import { choosePlans, planHint } from '../../config/plans.ts';
import type { Plan } from '../../domain/plan.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { isError, RespaldoError, toRespaldoError } from '../../errors.ts';
import {
  backup,
  backupsOf,
  type BackupOutcome,
  type BackupPorts,
  type BackupRequest,
} from '../../operations/backup.ts';
import { recorded, type Recorder } from '../../operations/recording.ts';
import { bearersOf, replaceBearers } from '../../operations/naming.ts';
import type { Repository, SavedItem } from '../../repository/repository.ts';
import { addBackupOptions, flagsOf, requireOneSubject, type BackupOptions } from '../backup-options.ts';
import { detectedServer } from '../detected-server.ts';
import { report } from '../errors.ts';
import { readLists } from '../files-from.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import { backupHost, identity } from '../identity.ts';
import type { Invocation } from '../invocation.ts';
import { OpenRepositories } from '../open-repositories.ts';
import { quoted } from '../printable.ts';
import { showProgress } from '../progress.ts';
import { surroundings, withRecorder, type Surroundings } from '../session.ts';
import { count } from '../units.ts';
import { backupLines, backupMessage, backupProgress } from '../views/backup.ts';
import { tellItem, tellsItems } from '../views/saved-item.ts';
import { tellFinding } from '../views/finding.ts';
import { shortId } from '../views/snapshot.ts';

/** Of many paths so many are told. */
const NAMED = 5;

export async function define(command: Command, invocation: Invocation): Promise<void> {
  describe(command, {
    about:
      `An address is ${await sourceAddresses()}. A ` +
      'plan is a name in respaldo.yaml; without arguments every plan is run, or where there is none, the one database ' +
      'that `respaldo detect` finds. What could not be read is told, the rest is stored, and the snapshot is marked ' +
      'incomplete.',
    examples: [
      ['respaldo backup ./folder', 'only what changed since the last snapshot is read'],
      ['respaldo backup --exclude "*.tmp" -x /home', 'without some files, on one file system'],
      ['respaldo backup --full --name pre_migration shop', 'a plan, everything read again, under a name'],
      ['respaldo backup "postgresql://backup@db1/?method=physical"', 'a PostgreSQL server'],
      ['respaldo backup "postgresql://dumper@db1/shop?method=logical"', 'a database of it, as a dump'],
      ['respaldo backup --container shop-db', 'all databases of the server in a container'],
      ['pg_dump shop | respaldo backup --stdin --stdin-filename shop.sql', 'what another program writes'],
      ['respaldo backup --stdin-from-command -- pg_dump shop', 'the same, and nothing if it fails'],
      ['respaldo backup -n -vv ./folder', 'what would it do, file by file?'],
    ],
    exits: [3, ...REPOSITORY_EXITS],
  }).argument('[plan|address...]', 'plans of respaldo.yaml, folders, databases; with --stdin-from-command: a command');
  addBackupOptions(command).action((args: string[], options: BackupOptions) => run(invocation, args, options));
}

async function run(invocation: Invocation, args: readonly string[], options: BackupOptions): Promise<void> {
  requireOneSubject(args, options);
  const around = await surroundings(invocation);
  const plans = await plansOf(args, options, around, invocation);
  if (options.name !== undefined && plans.length > 1) throw oneName();
  await using repositories = new OpenRepositories(invocation, around);
  await withRecorder(invocation, async (recorder) => {
    const failures: RespaldoError[] = [];
    for (const plan of plans) {
      try {
        await backUp(plan, options, { args, invocation, around, repositories, recorder });
      } catch (error) {
        const failure = withPlanHint(toRespaldoError(error), plan, around);
        if (plans.length === 1 || invocation.signal.aborted) throw failure;
        report(failure, invocation.output, invocation.signal);
        failures.push(failure);
      }
    }
    if (failures[0] !== undefined) throw summaryOf(failures[0], failures.length, plans.length);
  });
}

/** A stream is a plan of its own, whose source is opened apart. */
async function plansOf(
  args: readonly string[],
  options: BackupOptions,
  { config, workingDirectory }: Surroundings,
  invocation: Invocation,
): Promise<readonly Plan[]> {
  const { output } = invocation;
  if (isStream(options))
    return choosePlans([options.stdinFilename], await flagsOf(options), undefined, workingDirectory);
  const listed = await readLists(options, (message) => output.warn(message));
  const hasLists = options.filesFrom.length + options.filesFromVerbatim.length + options.filesFromRaw.length > 0;
  if (hasLists && listed.length + args.length === 0)
    throw new RespaldoError('usage', 'nothing to back up: the lists name nothing', {
      hint: 'Check what should have written them.',
    });
  // A name of a list is a file, whatever it looks like.
  const addresses = listed.map((name) => (name.startsWith('/') ? name : `./${name}`));
  const named = [...args, ...addresses];
  const isSaid = named.length > 0 || (config?.plans.size ?? 0) > 0;
  const server = isSaid ? undefined : await detectedServer(options, invocation);
  const subjects = server === undefined ? named : [server.address];
  return choosePlans(subjects, await flagsOf(options, server?.target), config, workingDirectory);
}

function isStream({ stdin, stdinFromCommand }: BackupOptions): boolean {
  return stdin === true || stdinFromCommand === true;
}

interface Scene {
  readonly args: readonly string[];
  readonly invocation: Invocation;
  readonly around: Surroundings;
  readonly repositories: OpenRepositories;
  readonly recorder: Recorder;
}

/** One plan: a snapshot of each of its sources. */
async function backUp(plan: Plan, options: BackupOptions, scene: Scene): Promise<void> {
  const { args, invocation, around, repositories, recorder } = scene;
  const { username } = identity();
  const sources = isStream(options)
    ? [await openStreamSource(streamOf(args, options, invocation))]
    : await openSources(plan, around.readSecret, invocation.signal, process.env);
  const runtime = await openRuntimeOf(plan, process.env, invocation.clock);
  const journal = await openStoppedJournal(process.env, invocation.clock);
  const repository = await repositories.of(plan);
  const circumstances = {
    username,
    program: `respaldo ${invocation.version}`,
    hostname: options.host ?? backupHost(),
    dryRun: options.dryRun ?? false,
    groupBy: options.groupBy,
  };
  const requests = backupsOf(plan, sources, circumstances);
  const bearers = await namesakes(options, requests.length, repository, invocation);
  for (const request of requests) {
    const subject = plan.name ?? namesOf(request.source.paths);
    const work = (): Promise<BackupOutcome> =>
      backUpOne(request, { repository, runtime, journal }, options, invocation);
    if (request.dryRun) {
      tell(await work(), true, invocation);
      continue;
    }
    const outcome = await recorded(
      { operation: 'backup', subject, repository: repository.location, type: request.type },
      recorder,
      work,
      ({ state, snapshot, summary }) => ({
        state,
        ...(snapshot && { snapshot: snapshot.id }),
        bytesProcessed: summary.totalBytesProcessed,
        bytesAdded: summary.dataAddedPacked,
      }),
    );
    tell(outcome, false, invocation);
    if (await replaceBearers(bearers, outcome, repository, invocation.signal))
      invocation.output.note(`dropped what had the name before: ${bearers.map(({ id }) => shortId(id)).join(', ')}`);
    if (outcome.aftermath) throw outcome.aftermath;
  }
}

/** The snapshots that have the wanted name already. @throws RespaldoError `usage` where the name cannot be given */
async function namesakes(
  { name, overwrite = false, dryRun = false }: BackupOptions,
  snapshots: number,
  repository: Repository,
  { signal }: Invocation,
): Promise<readonly Snapshot[]> {
  if (name === undefined) return [];
  if (snapshots > 1) throw oneName();
  const bearers = await bearersOf(name, overwrite, repository, signal);
  return dryRun ? [] : bearers;
}

function oneName(): RespaldoError {
  return new RespaldoError('usage', 'a name is for one snapshot, and this takes several', {
    hint: 'Name one plan that has one source: the folders of a plan share a snapshot, each database has its own.',
  });
}

function streamOf(args: readonly string[], options: BackupOptions, { clock }: Invocation): StreamOptions {
  const { stdinFilename: filename, stdinFromCommand, time = clock.now() } = options;
  const [program, ...rest] = args;
  if (stdinFromCommand !== true || program === undefined) return { filename, time };
  return { filename, time, command: [program, ...rest] };
}

async function backUpOne(
  request: BackupRequest,
  { repository, runtime, journal }: Pick<BackupPorts, 'repository' | 'runtime' | 'journal'>,
  { time, parent, scan }: BackupOptions,
  { output, clock, signal }: Invocation,
): Promise<BackupOutcome> {
  using progress = showProgress(output, clock, backupProgress());
  const { source, hostname } = request;
  const alike = parent === 'latest' ? { hosts: [hostname], paths: source.paths } : {};
  const compareWith = parent === undefined ? undefined : await repository.find(parent, alike, signal);
  return await backup(
    { ...request, ...(compareWith && { parent: compareWith }) },
    {
      repository,
      runtime,
      journal,
      onStandstill: (names) => output.note(`stopped while it is read: ${names.map(quoted).join(', ')}`),
      clock: time === undefined ? clock : { ...clock, now: () => time },
      onDecision: ({ type, parent: base, reason }) => {
        const what = namesOf(source.paths.map(quoted));
        const against = base === undefined ? '' : `, compared with ${shortId(base.id)}`;
        output.note(`backing up ${what}: ${type}${against}: ${reason}`);
      },
      ...(progress.shown && { onProgress: progress.update }),
      onFinding: (finding) => tellFinding(finding, 'archival', output),
      ...(tellsItems(output) && { onItem: (item: SavedItem) => tellItem(item, output) }),
      estimate: scan,
    },
    signal,
  );
}

/** Of many only the first. */
function namesOf(paths: readonly string[]): string {
  const more = paths.length > NAMED ? ` and ${count(paths.length - NAMED, 'other')}` : '';
  return `${paths.slice(0, NAMED).join(', ')}${more}`;
}

function tell(outcome: BackupOutcome, dryRun: boolean, { output, exit }: Invocation): void {
  const { state, snapshot, summary } = outcome;
  output.json(backupMessage(summary, snapshot?.id, dryRun));
  for (const line of backupLines(summary, dryRun)) output.note(`  ${line}`);
  const incomplete = state === 'incomplete' ? output.style('yellow', ', but it is incomplete') : '';
  if (dryRun) output.note('a dry run: nothing was stored');
  else if (snapshot === undefined) output.note('nothing has changed: no snapshot was taken');
  else output.note(`${output.style('green', `snapshot ${shortId(snapshot.id)} saved`)}${incomplete}`);
  if (state === 'incomplete') {
    exit(3);
    output.jsonError({ message_type: 'exit_error', code: 3, message: 'at least one source file could not be read' });
  }
}

/** What does not exist as a folder may have been meant as a plan. */
function withPlanHint(error: RespaldoError, plan: Plan, { config }: Surroundings): RespaldoError {
  if (plan.name !== undefined || !isError(error, 'source-missing')) return error;
  const hint = plan.sources.map(({ address }) => planHint(address, config)).find((text) => text !== undefined);
  return hint === undefined ? error : new RespaldoError(error.code, error.message, { hint, cause: error });
}

function summaryOf(first: RespaldoError, failed: number, all: number): RespaldoError {
  return new RespaldoError(first.code, `${failed} of ${all} plans failed`, { cause: first });
}
