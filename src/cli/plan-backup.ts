/** One plan of a command line, or what it names without one: captured, recorded, with its hooks around it. */
import { randomUUID } from 'node:crypto';
import { openRuntimeOf, openSources, openStoppedJournal, openStreamSource, type StreamOptions } from '../compose.ts';
import { planHint } from '../config/plans.ts';
import { hasHooks } from '../domain/hook.ts';
import { hasRepository, type Plan } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { isError, RespaldoError, toRespaldoError } from '../errors.ts';
import { backup, backupsOf, type BackupOutcome, type BackupPorts, type BackupRequest } from '../operations/backup.ts';
import type { CapturedSource } from '../operations/archive-writing.ts';
import { bearersOf, replaceBearers, type ReplacedBearers } from '../operations/naming.ts';
import { PlanRun } from '../operations/plan-run.ts';
import { recorded, type Recorder } from '../operations/recording.ts';
import type { Repository, SavedItem } from '../repository/repository.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Source } from '../sources/source.ts';
import { archiveLocations } from './archive-locations.ts';
import type { BackupOptions } from './backup-options.ts';
import { report } from './errors.ts';
import { hooked } from './hooked.ts';
import { backupHost, identity } from './identity.ts';
import type { Invocation } from './invocation.ts';
import type { OpenRepositories } from './open-repositories.ts';
import type { FailedDestination } from './plan-archives.ts';
import { quoted } from './printable.ts';
import { showProgress } from './progress.ts';
import type { Surroundings } from './session.ts';
import { count } from './units.ts';
import { backupLines, backupMessage, backupProgress } from './views/backup.ts';
import { tellFinding } from './views/finding.ts';
import { tellItem, tellsItems } from './views/saved-item.ts';
import { shortId } from './views/snapshot.ts';

/** Of many paths so many are told. */
const NAMED = 5;

/** What one plan needs of the command line that it belongs to. */
export interface Scene {
  /** With `--stdin-from-command`: the command. */
  readonly args: readonly string[];
  readonly invocation: Invocation;
  readonly around: Surroundings;
  readonly repositories: OpenRepositories;
  readonly recorder: Recorder;
}

/**
 * Backs up one plan. Whatever stops it, a repository that nobody reaches or a hook that fails, is recorded as a failed run
 * of it.
 * @throws RespaldoError what stopped it, after its hooks have run
 */
export async function backUpPlan(plan: Plan, options: BackupOptions, scene: Scene): Promise<PlanRun> {
  try {
    return await runPlan(plan, options, scene);
  } catch (error) {
    throw withPlanHint(toRespaldoError(error), plan, scene.around);
  }
}

async function runPlan(plan: Plan, options: BackupOptions, scene: Scene): Promise<PlanRun> {
  const { invocation, recorder, repositories } = scene;
  const { clock, output } = invocation;
  // Without a plan what is read gives the run its name.
  const sources = plan.name === undefined ? await sourcesOf(plan, options, scene) : undefined;
  const destination = await repositories.locationOf(plan);
  const run = new PlanRun({
    plan: plan.name ?? namesOf((sources ?? []).flatMap(({ paths }) => paths)),
    run: randomUUID(),
    host: options.host ?? backupHost(),
    startedAt: clock.now(),
    destinations: [...(hasRepository(plan) ? [destination] : []), ...(await archiveLocations(plan, scene.around))],
  });
  const work = async (): Promise<PlanRun> => {
    await capture(plan, sources ?? (await sourcesOf(plan, options, scene)), run, options, scene);
    return run;
  };
  if (options.dryRun === true) {
    if (hasHooks(plan.hooks)) output.note('a dry run: the hooks of the plan are not run');
    return work();
  }
  await recorded(
    { operation: 'backup', subject: run.identity.plan, repository: destination, type: plan.type },
    recorder,
    () => hooked(plan, run, work, scene),
    () => ({ state: run.state, ...run.result, ...(run.problem && { problem: run.problem }) }),
    () => run.result,
  );
  return run;
}

/** A stream is a source of its own, which is opened apart. */
async function sourcesOf(
  plan: Plan,
  options: BackupOptions,
  { args, invocation, around }: Scene,
): Promise<readonly Source[]> {
  if (isStream(options)) return [await openStreamSource(streamOf(args, options, invocation))];
  return openSources(plan, around.readSecret, invocation.signal, process.env);
}

/** To each of the destinations, which succeed or fail by themselves. @throws RespaldoError what failed, of several a sum */
async function capture(
  plan: Plan,
  sources: readonly Source[],
  run: PlanRun,
  options: BackupOptions,
  scene: Scene,
): Promise<void> {
  const { invocation } = scene;
  const runtime = await openRuntimeOf(plan, process.env, invocation.clock);
  if (plan.archives === undefined) return captureToRepository(plan, sources, runtime, run, options, scene);
  const failed: FailedDestination[] = [];
  const captured = new Map<Source, CapturedSource>();
  if (hasRepository(plan)) {
    try {
      await captureToRepository(plan, sources, runtime, run, options, scene, captured);
    } catch (error) {
      if (invocation.signal.aborted) throw error;
      report(error, invocation.output, invocation.signal);
      failed.push({ name: `repository ${plan.repository ?? ''}`, error: toRespaldoError(error) });
    }
  }
  if (plan.archivesFromSource === true) captured.clear();
  // Loaded here: most plans have none, and start faster without.
  const { backUpPlanArchives } = await import('./plan-archives.ts');
  const work = { plan, sources, captured, run, runtime, dryRun: options.dryRun ?? false };
  failed.push(...(await backUpPlanArchives(work, scene)));
  if (failed.length > 0) throw sumOf(failed, run.identity.destinations.length);
}

export function sumOf(failed: readonly FailedDestination[], all: number): RespaldoError {
  const [first] = failed;
  const { error } = first ?? { error: new RespaldoError('internal', 'nothing failed') };
  const names = failed.map(({ name }) => name).join(', ');
  // Each has told already what was wrong.
  return new RespaldoError(error.code, `${String(failed.length)} of ${count(all, 'destination')} failed: ${names}`, {
    cause: error,
  });
}

/** A snapshot of each source. @param captured is told of each that there is, also if a later one fails */
async function captureToRepository(
  plan: Plan,
  sources: readonly Source[],
  runtime: Runtime,
  run: PlanRun,
  options: BackupOptions,
  { invocation, repositories }: Scene,
  captured = new Map<Source, CapturedSource>(),
): Promise<void> {
  const journal = await openStoppedJournal(process.env, invocation.clock);
  const repository = repositories.of(plan);
  // Who waits for it first is told.
  repository.catch(() => undefined);
  const circumstances = {
    username: identity().username,
    program: `respaldo ${invocation.version}`,
    hostname: run.identity.host,
    dryRun: options.dryRun ?? false,
    groupBy: options.groupBy,
  };
  const requests = backupsOf(plan, sources, circumstances);
  const bearers = await namesakes(options, requests.length, repository, invocation);
  for (const request of requests) {
    const outcome = await backUpOne(request, { repository, runtime, journal }, options, invocation);
    run.add(outcome);
    const stored = storedAs(outcome, request);
    const { signal } = invocation;
    if (stored !== undefined)
      captured.set(request.source, {
        snapshot: (await repository).readable(stored, signal),
        isIncomplete: outcome.state === 'incomplete',
      });
    tell(outcome, request.dryRun, invocation);
    const replaced = await replaceBearers(bearers, outcome, await repository, invocation.signal);
    if (replaced !== undefined) tellReplaced(replaced, invocation);
  }
}

function tellReplaced({ dropped, kept }: ReplacedBearers, { output }: Invocation): void {
  if (dropped.length > 0)
    output.note(`dropped what had the name before: ${dropped.map(({ id }) => shortId(id)).join(', ')}`);
  for (const { id, reason } of kept) output.note(`${shortId(id)} had the name before and stays without it: ${reason}`);
}

/** The snapshot that holds what was captured: where nothing has changed it is the one before. */
function storedAs({ snapshot, decision }: BackupOutcome, { dryRun }: BackupRequest): Snapshot | undefined {
  return dryRun ? undefined : (snapshot ?? decision.parent);
}

/** The snapshots that have the wanted name already. @throws RespaldoError `usage` where the name cannot be given */
async function namesakes(
  { name, overwrite = false, dryRun = false }: BackupOptions,
  snapshots: number,
  repository: Promise<Repository>,
  { signal }: Invocation,
): Promise<readonly Snapshot[]> {
  if (name === undefined) return [];
  if (snapshots > 1) throw oneName();
  const bearers = await bearersOf(name, overwrite, await repository, signal);
  return dryRun ? [] : bearers;
}

export function oneName(): RespaldoError {
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
  const compareWith = parent === undefined ? undefined : await (await repository).find(parent, alike, signal);
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

export function isStream({ stdin, stdinFromCommand }: BackupOptions): boolean {
  return stdin === true || stdinFromCommand === true;
}

/** What does not exist as a folder may have been meant as a plan. */
function withPlanHint(error: RespaldoError, plan: Plan, { config }: Surroundings): RespaldoError {
  if (plan.name !== undefined || !isError(error, 'source-missing')) return error;
  const hint = plan.sources.map(({ address }) => planHint(address, config)).find((text) => text !== undefined);
  return hint === undefined ? error : new RespaldoError(error.code, error.message, { hint, cause: error });
}
