import type { Catalog, NewRun, RunOutcome } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { toRespaldoError, type RespaldoError } from '../errors.ts';

/** What a finished piece of work says of itself; when it finished is the recorder's to say. */
export type RunResult = Omit<RunOutcome, 'finishedAt' | 'error'>;

export interface Recorder {
  /** Absent where there is none: nothing is recorded then. */
  readonly catalog: Catalog | undefined;
  readonly clock: Clock;
  /** Told, once per run, that the catalog could not be written. */
  readonly warn: (message: string) => void;
}

/**
 * Does `work` and records it as a run. The catalog is only a memory: where it fails the user is warned and the work
 * goes on. What `work` throws is recorded and thrown on.
 */
export async function recorded<T>(
  run: Omit<NewRun, 'startedAt'>,
  { catalog, clock, warn }: Recorder,
  work: () => Promise<T>,
  resultOf: (value: T) => RunResult,
): Promise<T> {
  const id = await attempt(warn, async () => catalog?.begin({ ...run, startedAt: clock.now() }));
  const finish = (outcome: Omit<RunOutcome, 'finishedAt'>) =>
    attempt(warn, async () => {
      if (id !== undefined) await catalog?.finish(id, { ...outcome, finishedAt: clock.now() });
    });
  let value: T;
  try {
    value = await work();
  } catch (error) {
    const failure = toRespaldoError(error);
    await finish({ state: failure.code === 'cancelled' ? 'cancelled' : 'failed', error: describe(failure) });
    throw error;
  }
  await finish(resultOf(value));
  return value;
}

/** Messages of our own errors hold no secrets; those of causes may, and stay out. */
function describe(error: RespaldoError): string {
  return `${error.code}: ${error.message}`;
}

async function attempt<T>(warn: (message: string) => void, write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    warn(`the run is not recorded: ${toRespaldoError(error).message}`);
    return undefined;
  }
}
