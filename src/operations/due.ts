import type { Catalog } from '../catalog/catalog.ts';
import { isOwn, planTag } from '../domain/guards.ts';
import type { Plan } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Repository } from '../repository/repository.ts';
import { latestBackup } from './retention.ts';
import { nextTime } from './schedule.ts';

/** Whether a plan is to be run now. */
export type Dueness =
  | { readonly due: true; readonly reason: string }
  /** `isRunning`: another process is about it. */
  | { readonly due: false; readonly next?: Date; readonly isRunning?: true };

/** How the last run of a plan ended, as far as anybody remembers. */
export type LastRun =
  | { readonly storedAt: Date }
  | { readonly ended: 'failed' | 'cancelled' | 'not at all' }
  | { readonly isRunning: true }
  | undefined;

/**
 * A plan is not due while another process backs it up. Else it is when its schedule has come round since its last run
 * began that stored something; after one that did not, at once; without a schedule, always. What is stored and incomplete counts: a file that cannot be read today cannot be
 * read in five minutes either.
 */
export function dueness(
  { schedule, timeZone }: Pick<Plan, 'schedule' | 'timeZone'>,
  last: LastRun,
  now: Date,
): Dueness {
  if (last !== undefined && 'isRunning' in last) return { due: false, isRunning: true };
  if (schedule === undefined) return { due: true, reason: 'it has no schedule' };
  if (last === undefined) return { due: true, reason: 'it has never run' };
  if ('ended' in last) return { due: true, reason: `its last run ${ENDINGS[last.ended]}` };
  const next = nextTime({ schedule, ...(timeZone !== undefined && { timeZone }) }, last.storedAt);
  if (next === undefined) return { due: false };
  return next <= now ? { due: true, reason: `since ${next.toISOString()}` } : { due: false, next };
}

const ENDINGS = { failed: 'failed', cancelled: 'was cancelled', 'not at all': 'has not ended' } as const;

export interface LastRunPorts {
  readonly catalog: Pick<Catalog, 'runs'>;
  /** Asked of one that has begun a run and not ended it. */
  readonly isProcessRunning: (process: string) => Promise<boolean>;
  /**
   * Asked only where this machine remembers nothing; absent: the plan has none.
   * @throws RespaldoError if it cannot be opened
   */
  readonly openRepository?: () => Promise<Pick<Repository, 'snapshots'>>;
}

/** From what this machine remembers; where it has forgotten, from the snapshots. @throws RespaldoError the repository's */
export async function lastRunOf(
  { plan, host, location }: { readonly plan: string; readonly host: string; readonly location: string },
  { catalog, isProcessRunning, openRepository }: LastRunPorts,
  signal: AbortSignal,
): Promise<LastRun> {
  const run = await latestBackup(plan, location, catalog);
  if (run !== undefined) {
    const state = run.outcome?.state;
    if (state === 'succeeded' || state === 'incomplete') return { storedAt: run.startedAt };
    if (state !== undefined) return { ended: state };
    const isRunning = run.owner !== undefined && (await isProcessRunning(run.owner));
    return isRunning ? { isRunning } : { ended: 'not at all' };
  }
  if (openRepository === undefined) return undefined;
  const repository = await openRepository();
  const own = { name: plan, hostname: host };
  const taken = (await repository.snapshots({ hosts: [host], tags: [[planTag(plan)]] }, signal)).filter((snapshot) =>
    isOwn(snapshot, own),
  );
  const newest = taken
    .map(timeOf)
    .toSorted((a, b) => a - b)
    .at(-1);
  return newest === undefined ? undefined : { storedAt: new Date(newest) };
}

function timeOf({ time }: Snapshot): number {
  return Date.parse(time);
}
