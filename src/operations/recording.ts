import type { Catalog, NewRun, RunOutcome } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { toRespaldoError, type RespaldoError } from '../errors.ts';

/** What a finished piece of work says of itself; when it finished is the recorder's to say. */
export type RunResult = Omit<RunOutcome, 'finishedAt' | 'error'> & {
  /** Why it is not all that it could be. */
  readonly problem?: RespaldoError;
};

export interface Recorder {
  /** One that never throws, as `openCatalog` gives: the catalog is only a memory and stops nobody. */
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** This process; absent: nobody asks whether a run goes on. */
  readonly owner?: string;
}

/**
 * Does `work` and records it as a run. What `work` throws is recorded and thrown on.
 * @param soFar what there is to remember although it was thrown
 */
export async function recorded<T>(
  run: Omit<NewRun, 'startedAt' | 'owner'>,
  { catalog, clock, owner }: Recorder,
  work: () => Promise<T>,
  resultOf: (value: T) => RunResult,
  soFar: () => Omit<RunResult, 'state'> = () => ({}),
): Promise<T> {
  const id = await catalog.begin({ ...run, startedAt: clock.now(), ...(owner !== undefined && { owner }) });
  let value: T;
  try {
    value = await work();
  } catch (error) {
    await catalog.finish(id, { ...soFar(), ...failureOf(toRespaldoError(error)), finishedAt: clock.now() });
    throw error;
  }
  const { problem, ...result } = resultOf(value);
  await catalog.finish(id, { ...result, ...(problem && { error: told(problem) }), finishedAt: clock.now() });
  return value;
}

/** What is remembered of an error. */
export function failureOf(
  error: RespaldoError,
): Pick<RunOutcome, 'error'> & { readonly state: 'cancelled' | 'failed' } {
  return { state: error.code === 'cancelled' ? 'cancelled' : 'failed', error: told(error) };
}

/**
 * Messages of our own errors hold no secrets; those of their causes may, and stay out. So does what a hook has printed,
 * which can be anything.
 */
function told({ code, message }: RespaldoError): string {
  return `${code}: ${code === 'hook-failed' ? (message.split('\n', 1)[0] ?? '') : message}`;
}
