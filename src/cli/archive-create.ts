/** Archives of a snapshot that is there already. */
import { randomUUID } from 'node:crypto';
import type { ArchivedFile, ArchivePlace } from '../archive/archive.ts';
import { hostRuntime, listArchiveAt, openSources } from '../compose.ts';
import { namedPlans, type NamedPlan } from '../config/named-plans.ts';
import { RespaldoError, throwIfAborted } from '../errors.ts';
import { archiveSnapshot } from '../operations/archive-create.ts';
import { recordedArchives } from '../operations/archive-record.ts';
import type { ArchiveOutcome } from '../operations/archive-tally.ts';
import type { Invocation } from './invocation.ts';
import { closePlaces, openPlaces, tellers, tellOutcomes } from './plan-archives.ts';
import { sumOf } from './plan-backup.ts';
import { showProgress } from './progress.ts';
import { accessTo, openAt, surroundings, type Surroundings, withRecorder } from './session.ts';
import { archiveProgress } from './views/archive-backup.ts';
import { snapshotTitle } from './views/snapshot.ts';

export interface ArchiveCreateOptions {
  readonly plan: string;
  readonly archive: readonly string[];
  readonly database?: string;
}

/** Writes a snapshot into archives. @throws RespaldoError of the first archive that lacks something */
export async function createArchives(
  reference: string,
  options: ArchiveCreateOptions,
  invocation: Invocation,
): Promise<void> {
  const around = await surroundings(invocation);
  const plan = planNamed(options.plan, around);
  const archives = archivesNamed(options.archive, plan, around);
  const { places, failed } = await openPlaces(archives, { invocation, around });
  try {
    const run = { operation: 'archive', subject: plan.name } as const;
    const outcomes = await withRecorder(invocation, (recorder) =>
      recordedArchives(run, places, recorder, async () =>
        places.length === 0 ? [] : written(reference, plan, places, options, invocation, around),
      ),
    );
    const all = [...failed, ...tellOutcomes(outcomes, invocation)];
    if (all.length > 0) throw sumOf(all, archives.length);
  } finally {
    await closePlaces(places);
    throwIfAborted(invocation.signal);
  }
}

function planNamed(name: string, { config }: Surroundings): NamedPlan {
  const [plan] = namedPlans([name], config);
  if (plan !== undefined) return plan;
  throw new RespaldoError('config', `there is no plan ${name} in respaldo.yaml`);
}

function archivesNamed(names: readonly string[], plan: NamedPlan, { config }: Surroundings): readonly string[] {
  const unknown = names.find((name) => config?.archives.has(name) !== true);
  if (unknown !== undefined)
    throw new RespaldoError('usage', `there is no archive ${unknown} in respaldo.yaml`, {
      hint: `The archives there: ${[...(config?.archives.keys() ?? [])].join(', ') || 'none'}.`,
    });
  const meant = names.length > 0 ? [...new Set(names)] : (plan.archives ?? []);
  if (meant.length > 0) return meant;
  throw new RespaldoError('usage', `the plan ${plan.name} has no archives`, { hint: 'Name one: --archive NAME.' });
}

async function written(
  reference: string,
  plan: NamedPlan,
  places: readonly ArchivePlace[],
  { database }: ArchiveCreateOptions,
  invocation: Invocation,
  around: Surroundings,
): Promise<readonly ArchiveOutcome[]> {
  const { output, clock, signal, version } = invocation;
  const access = await accessTo(invocation, around, undefined, plan);
  const repository = await openAt(access, invocation, around);
  try {
    const latest = reference === 'latest' ? { tags: [[`plan=${plan.name}`]] } : {};
    const snapshot = await repository.find(reference, latest, signal);
    const sources = await openSources(plan, around.readSecret, signal, process.env);
    output.note(`making archives of ${snapshotTitle(snapshot)}`);
    using progress = showProgress(output, clock, archiveProgress);
    return await archiveSnapshot(
      {
        plan: plan.name,
        sources,
        snapshot,
        places,
        held: await heldBy(places, signal),
        run: randomUUID(),
        program: `respaldo ${version}`,
        ...(database !== undefined && { database }),
      },
      { repository, runtime: await hostRuntime(), clock, onProgress: progress.update, ...tellers(output) },
      signal,
    );
  } finally {
    await repository.close();
  }
}

async function heldBy(
  places: readonly ArchivePlace[],
  signal: AbortSignal,
): Promise<ReadonlyMap<ArchivePlace, readonly ArchivedFile[]>> {
  const held = new Map<ArchivePlace, readonly ArchivedFile[]>();
  for (const place of places) held.set(place, (await listArchiveAt(place.store, signal)).files);
  return held;
}
