/** The archives of a plan: opened, written, told and remembered, each by itself. */
import type { ArchivePlace } from '../archive/archive.ts';
import { incrementsFolder, openArchivePlace } from '../compose.ts';
import type { ArchiveDestination } from '../domain/archive.ts';
import type { Plan } from '../domain/plan.ts';
import { RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import { backUpToArchives } from '../operations/archive-backup.ts';
import { recordedArchives, recordUnopened } from '../operations/archive-record.ts';
import type { ArchiveOutcome } from '../operations/archive-tally.ts';
import type { ArchiveBackupPorts, CapturedSource } from '../operations/archive-writing.ts';
import type { PlanRun } from '../operations/plan-run.ts';
import type { Recorder } from '../operations/recording.ts';
import { SourcesAhead } from '../operations/sources-ahead.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Source } from '../sources/source.ts';
import { archiveLocations } from './archive-locations.ts';
import type { Invocation } from './invocation.ts';
import type { Output } from './output.ts';
import { harmless, quoted } from './printable.ts';
import { showProgress } from './progress.ts';
import type { Surroundings } from './session.ts';
import { archiveLine, archiveMessage, archiveProgress, tellArchivedFile } from './views/archive-backup.ts';
import { tellFinding } from './views/finding.ts';
import { shortId } from './views/snapshot.ts';

/** What one plan brings to its archives. */
interface ArchiveWork {
  readonly plan: Plan;
  readonly sources: readonly Source[];
  /** What the repository has got of them already. */
  readonly captured: ReadonlyMap<Source, CapturedSource>;
  readonly run: PlanRun;
  readonly runtime: Runtime;
  readonly dryRun: boolean;
}

interface Scene {
  readonly invocation: Invocation;
  readonly around: Surroundings;
  readonly recorder: Recorder;
}

/** A destination that did not get what it should. */
export interface FailedDestination {
  /** For people: `archive offsite`. */
  readonly name: string;
  readonly error: RespaldoError;
}

interface UnopenedArchive extends FailedDestination {
  readonly archive: string;
}

/**
 * Writes the plan's portable files to all of its archives.
 * @returns those that failed, which have been told
 * @throws RespaldoError what keeps every archive from getting anything, and `cancelled`
 */
export async function backUpPlanArchives(work: ArchiveWork, scene: Scene): Promise<readonly FailedDestination[]> {
  const { invocation, around, recorder } = scene;
  const { output, signal } = invocation;
  if (work.dryRun) {
    output.note('a dry run: archives are not written');
    return [];
  }
  await using ahead = sourcesAhead(work, invocation);
  const { places, failed } = await openPlaces(work.plan.archives ?? [], scene);
  try {
    const { plan: subject, destinations } = work.run.identity;
    const run = { operation: 'backup', subject } as const;
    // The plan's own run stands for the first of its destinations.
    const isOther = (location: string): boolean => location !== destinations[0];
    for (const { archive, error } of failed)
      for (const location of (await archiveLocations({ archives: [archive] }, around)).filter(isOther))
        await recordUnopened(run, location, error, recorder);
    if (places.length === 0) return failed;
    const others = places.filter(({ store: { location } }) => isOther(location));
    const outcomes = await recordedArchives(run, others, recorder, () => written(work, places, ahead, invocation));
    work.run.archived(outcomes);
    return [...failed, ...tellOutcomes(outcomes, invocation)];
  } finally {
    await closePlaces(places);
    throwIfAborted(signal);
  }
}

/** What no snapshot stands for is looked at while the archives are opened: recipients are looked up, and places made. */
function sourcesAhead({ sources, captured, runtime }: ArchiveWork, { output, signal }: Invocation): SourcesAhead {
  const unread = sources.filter((source) => source.portable !== undefined && !captured.has(source));
  return new SourcesAhead(unread, { runtime, ...tellers(output) }, signal);
}

/** @returns the archives that lack something */
export function tellOutcomes(
  outcomes: readonly ArchiveOutcome[],
  { output, exit }: Pick<Invocation, 'output' | 'exit'>,
): readonly FailedDestination[] {
  for (const outcome of outcomes) {
    output.json(archiveMessage(outcome));
    output.note(archiveLine(outcome, output));
  }
  if (outcomes.some(({ state }) => state === 'incomplete')) exit(3);
  return outcomes.flatMap(failureOf);
}

export async function closePlaces(places: readonly ArchivePlace[]): Promise<void> {
  for (const { store, temp } of places) {
    await store.close();
    await temp?.close();
  }
}

/** Those that can be written to; why the others cannot has been told. */
export async function openPlaces(
  archives: readonly string[],
  { invocation, around }: Omit<Scene, 'recorder'>,
): Promise<{ readonly places: readonly ArchivePlace[]; readonly failed: readonly UnopenedArchive[] }> {
  const { output, signal } = invocation;
  const places: ArchivePlace[] = [];
  const failed: UnopenedArchive[] = [];
  for (const name of archives) {
    try {
      const { readSecret, workingDirectory } = around;
      const onRetry = (error: RespaldoError): void => output.warn(`${error.message}; trying again`);
      const options = { readSecret, workingDirectory, onRetry };
      places.push(await openArchivePlace(destinationOf(name, around), options, signal));
    } catch (error) {
      throwIfAborted(signal);
      const failure = toRespaldoError(error);
      failed.push({ archive: name, name: `archive ${name}`, error: failure });
      output.json({
        message_type: 'archive',
        archive: name,
        status: 'failed',
        files: [],
        errors: [{ message: failure.message, code: failure.code }],
      });
      output.alarm(`archive ${name}: ${failure.message}${failure.hint === undefined ? '' : `\n${failure.hint}`}`);
    }
  }
  return { places, failed };
}

/** The configuration was checked: only another one than the plan's lacks it. */
function destinationOf(name: string, { config }: Surroundings): ArchiveDestination {
  const destination = config?.archives.get(name);
  if (destination !== undefined) return destination;
  throw new RespaldoError('config', `there is no archive ${name} in respaldo.yaml`);
}

async function written(
  { plan, sources, captured, run, runtime }: ArchiveWork,
  places: readonly ArchivePlace[],
  ahead: SourcesAhead,
  { output, clock, signal, version }: Invocation,
): Promise<readonly ArchiveOutcome[]> {
  using progress = showProgress(output, clock, archiveProgress);
  return await backUpToArchives(
    {
      plan: plan.name ?? run.identity.plan,
      sources,
      captured,
      places,
      hostname: run.identity.host,
      run: run.identity.run,
      program: `respaldo ${version}`,
      // A log is always stored from where it ended.
      ...((plan.incrementalArchives === true || sources.every((source) => source.follow !== undefined)) && {
        increments: { folder: await incrementsFolder(process.env), archives: plan.archives ?? [], wanted: plan.type },
      }),
    },
    { runtime, clock, ahead, onProgress: progress.update, ...tellers(output) },
    signal,
  );
}

/** What is told while archives are written. */
export function tellers(output: Output): Pick<ArchiveBackupPorts, 'onFile' | 'onRetry' | 'onUnreadable' | 'onFinding'> {
  return {
    onFile: (file) => tellArchivedFile(file, output),
    onRetry: (archive, error) =>
      output.warn(`archive ${archive}: ${error.message}; sending it once more, without reading the source again`),
    onUnreadable: (snapshot, error) =>
      output.alarm(`snapshot ${shortId(snapshot)} cannot be read back: ${error.message}; reading the source once more`),
    onFinding: (finding) => tellFinding(finding, 'archival', output),
  };
}

function failureOf({ archive, failures }: ArchiveOutcome): FailedDestination[] {
  const [first, ...others] = failures;
  if (first === undefined) return [];
  const { error } = first;
  const more = others.length === 0 ? '' : ` (and ${String(others.length)} more)`;
  return [
    {
      name: `archive ${archive}`,
      error: new RespaldoError(error.code, `${quoted(first.database)}: ${harmless(error.message)}${more}`, {
        ...(error.hint !== undefined && { hint: error.hint }),
        cause: error,
      }),
    },
  ];
}
