import type { ArchivePlace } from '../archive/archive.ts';
import type { NewRun, RunOutcome } from '../catalog/catalog.ts';
import { toRespaldoError, type RespaldoError } from '../errors.ts';
import type { ArchiveOutcome } from './archive-tally.ts';
import { failureOf, type Recorder } from './recording.ts';

/** Does `work` and records it as a run of its own for each place. What `work` throws is recorded and thrown on. */
export async function recordedArchives(
  run: Pick<NewRun, 'operation' | 'subject'>,
  places: readonly ArchivePlace[],
  { catalog, clock }: Recorder,
  work: () => Promise<readonly ArchiveOutcome[]>,
): Promise<readonly ArchiveOutcome[]> {
  const ids = new Map<string, number>();
  for (const { archive, store } of places)
    ids.set(archive, await catalog.begin({ ...run, repository: store.location, startedAt: clock.now() }));
  let outcomes: readonly ArchiveOutcome[] = [];
  let failure: RespaldoError | undefined;
  try {
    outcomes = await work();
  } catch (error) {
    failure = toRespaldoError(error);
    throw error;
  } finally {
    for (const [archive, id] of ids) {
      const outcome = outcomes.find((one) => one.archive === archive);
      await catalog.finish(id, { ...resultOf(outcome, failure), finishedAt: clock.now() });
    }
  }
  return outcomes;
}

/** Remembers a place that could not even be opened as one that failed: nothing of it goes then by the rules of retention. */
export async function recordUnopened(
  run: Pick<NewRun, 'operation' | 'subject'>,
  repository: string,
  error: RespaldoError,
  { catalog, clock }: Recorder,
): Promise<void> {
  const id = await catalog.begin({ ...run, repository, startedAt: clock.now() });
  await catalog.finish(id, { ...failureOf(error), finishedAt: clock.now() });
}

/** @param failure what kept all of them from getting anything */
function resultOf(
  outcome: ArchiveOutcome | undefined,
  failure: RespaldoError | undefined,
): Omit<RunOutcome, 'finishedAt'> {
  const error = failure ?? outcome?.failures[0]?.error;
  const snapshot = outcome?.files.at(-1)?.manifest.facts['snapshot'];
  return {
    ...(error ? failureOf(error) : { state: outcome?.state ?? 'failed' }),
    ...(snapshot !== undefined && { snapshot }),
    ...(outcome && { bytesProcessed: sizeOf(outcome, 'plain'), bytesAdded: sizeOf(outcome, 'stored') }),
  };
}

function sizeOf({ files }: ArchiveOutcome, which: 'plain' | 'stored'): number {
  return files.reduce((sum, { manifest }) => sum + manifest[which].bytes, 0);
}
