import type { Catalog, NewRun, RunOutcome } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { toRespaldoError, type RespaldoError } from '../errors.ts';

/** What a finished piece of work says of itself; when it finished is the recorder's to say. */
export type RunResult = Omit<RunOutcome, 'finishedAt' | 'error'>;

export interface Recorder {
  /** One that never throws, as `openCatalog` gives: the catalog is only a memory and stops nobody. */
  readonly catalog: Catalog;
  readonly clock: Clock;
}

/** Does `work` and records it as a run. What `work` throws is recorded and thrown on. */
export async function recorded<T>(
  run: Omit<NewRun, 'startedAt'>,
  { catalog, clock }: Recorder,
  work: () => Promise<T>,
  resultOf: (value: T) => RunResult,
): Promise<T> {
  const id = await catalog.begin({ ...run, startedAt: clock.now() });
  let value: T;
  try {
    value = await work();
  } catch (error) {
    await catalog.finish(id, { ...failureOf(toRespaldoError(error)), finishedAt: clock.now() });
    throw error;
  }
  await catalog.finish(id, { ...resultOf(value), finishedAt: clock.now() });
  return value;
}

/** Messages of our own errors hold no secrets; those of their causes may, and stay out. */
function failureOf(error: RespaldoError): Omit<RunOutcome, 'finishedAt'> {
  return { state: error.code === 'cancelled' ? 'cancelled' : 'failed', error: `${error.code}: ${error.message}` };
}
