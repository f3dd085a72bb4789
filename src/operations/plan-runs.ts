import { nextSteps, type Dependencies, type Standing } from '../domain/plan-order.ts';
import { toRespaldoError, type RespaldoError } from '../errors.ts';

/** What became of one of several plans. */
export type PlanEnd<T> =
  | { readonly state: 'done'; readonly value: T }
  | { readonly state: 'failed'; readonly error: RespaldoError }
  /** One that it waited for did not succeed. */
  | { readonly state: 'skipped'; readonly because: string }
  /** Everything was stopped before it began. */
  | { readonly state: 'not-begun' };

export interface PlanRunsRequest<T> {
  /** The names of the plans, each once, in the order in which they begin where nothing says otherwise. */
  readonly plans: readonly string[];
  readonly dependencies: Dependencies;
  /** How many run at once. */
  readonly jobs: number;
  readonly run: (plan: string) => Promise<T>;
  /** Told at once. */
  readonly onEnd: (plan: string, end: PlanEnd<T>) => void;
}

/**
 * Runs plans, each after those that it depends on, several at once; one that fails stops only those that depend on it. An
 * abort begins no more; those that run end by it as they do.
 * @returns what became of each, in the order of the request. Never throws.
 */
export async function runPlans<T>(
  { plans, dependencies, jobs, run, onEnd }: PlanRunsRequest<T>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, PlanEnd<T>>> {
  const standings = new Map<string, Standing>(plans.map((plan) => [plan, 'idle']));
  const ends = new Map<string, PlanEnd<T>>();
  const running = new Set<Promise<void>>();

  const end = (plan: string, how: PlanEnd<T>): void => {
    ends.set(plan, how);
    standings.set(plan, how.state === 'not-begun' ? 'skipped' : how.state);
    onEnd(plan, how);
  };
  const begin = (plan: string): void => {
    standings.set(plan, 'running');
    const job = run(plan).then(
      (value) => end(plan, { state: 'done', value }),
      (error: unknown) => end(plan, { state: 'failed', error: toRespaldoError(error) }),
    );
    const tracked = job.finally(() => running.delete(tracked));
    running.add(tracked);
  };

  for (;;) {
    const { start, skip } = signal.aborted ? { start: [], skip: [] } : nextSteps(dependencies, standings);
    for (const { name, because } of skip) end(name, { state: 'skipped', because });
    for (const name of start.slice(0, Math.max(0, jobs - running.size))) begin(name);
    // Who waits for those that were left out just now is left out as well.
    if (skip.length > 0) continue;
    if (running.size === 0) break;
    await Promise.race(running);
  }
  for (const [plan, standing] of standings) if (standing === 'idle') end(plan, { state: 'not-begun' });
  return new Map(
    plans.flatMap((plan) => {
      const how = ends.get(plan);
      return how === undefined ? [] : [[plan, how] as const];
    }),
  );
}
