import type { Catalog, RunRecord } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { judgeByCalendar } from '../domain/calendar.ts';
import { guardVerdicts, isOwn, planTag } from '../domain/guards.ts';
import { isLogStretch, LOG_NEEDED, neededStretches } from '../domain/log-stretch.ts';
import type { Plan } from '../domain/plan.ts';
import { keepsNothing, planRetention } from '../domain/retention.ts';
import { BY_HOST_AND_PATHS, groupSnapshots, type GroupKey } from '../domain/snapshot-group.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { needsOf } from '../domain/strategy.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { Repository } from '../repository/repository.ts';
import type { ForgetPlan } from './forget.ts';
import { lateness } from './schedule.ts';

/** By which of its blocks a plan is judged; `nothing`: it has none, and all of its snapshots stay. */
export type RetentionBasis = 'calendar' | 'keep' | 'nothing';

export interface RetentionRequest {
  /** One that has a name. */
  readonly plan: Plan & { readonly name: string };
  /** Where the plan's snapshots are taken: those of other hosts are not its own. */
  readonly hostname: string;
  /** Judge although the plan's backups fail. */
  readonly evenIfFailing: boolean;
}

export interface RetentionPorts {
  readonly repository: Pick<Repository, 'snapshots' | 'location'>;
  readonly catalog: Pick<Catalog, 'runs'>;
  readonly clock: Clock;
}

/** What is to become of a plan's snapshots, as data: to be shown before anything is removed. */
export interface RetentionOutlook {
  readonly plan: string;
  readonly basis: RetentionBasis;
  /** Why nothing goes for now. */
  readonly hold?: string;
  /** One for each of its sources, in the order of their first snapshots. */
  readonly sources: readonly JudgedSource[];
  /** All that go. */
  readonly remove: readonly Snapshot[];
}

export interface JudgedSource {
  readonly key: GroupKey;
  /** Newest first. */
  readonly verdicts: readonly Verdict<Snapshot>[];
}

/** Runs of a plan that are looked at to find its latest backup. */
const RECENT_RUNS = 100;

export function basisOf({ keep, calendar }: Pick<Plan, 'keep' | 'calendar'>): RetentionBasis {
  if (calendar !== undefined) return 'calendar';
  return keep === undefined || keepsNothing(keep) ? 'nothing' : 'keep';
}

/** Judges the snapshots of a plan by its own rules, then by what must not be lost. Changes nothing. */
export async function planRetentionOf(
  request: RetentionRequest,
  ports: RetentionPorts,
  signal: AbortSignal,
): Promise<RetentionOutlook> {
  const { plan, hostname } = request;
  const filter = { hosts: [hostname], tags: [[planTag(plan.name)]] };
  const own = { name: plan.name, hostname };
  const snapshots = (await ports.repository.snapshots(filter, signal)).filter((snapshot) => isOwn(snapshot, own));
  const hold = request.evenIfFailing ? undefined : await holdOf(request, snapshots, ports);
  const now = ports.clock.now();
  const judged = groupSnapshots(snapshots, BY_HOST_AND_PATHS).map(({ key, snapshots: members }) => {
    const question = { plan: own, needs: needsOf(members), ...(hold !== undefined && { hold }) };
    return { key, verdicts: guardVerdicts(judge(members, plan, now), question) };
  });
  const sources = await guardLogs(judged, ports, signal);
  return {
    plan: plan.name,
    basis: basisOf(plan),
    ...(hold !== undefined && { hold }),
    sources,
    remove: sources.flatMap(({ verdicts }) => verdicts.filter(({ kept }) => !kept).map(({ snapshot }) => snapshot)),
  };
}

/** The same, with the stretches of logs kept that lead on from a base which stays, whichever plan took it. */
async function guardLogs(
  sources: readonly JudgedSource[],
  { repository }: RetentionPorts,
  signal: AbortSignal,
): Promise<readonly JudgedSource[]> {
  const goes = sources.flatMap(({ verdicts }) => verdicts.filter(({ kept }) => !kept).map(({ snapshot }) => snapshot));
  const stretches = goes.filter(isLogStretch);
  if (stretches.length === 0) return sources;
  const gone = new Set(goes.map(({ id }) => id));
  const rest = (await repository.snapshots({}, signal)).filter(({ id }) => !gone.has(id));
  const needed = neededStretches(stretches, rest);
  return sources.map(({ key, verdicts }) => ({
    key,
    verdicts: verdicts.map((verdict) =>
      needed.has(verdict.snapshot.id) && !verdict.kept ? { ...verdict, kept: true, reasons: [LOG_NEEDED] } : verdict,
    ),
  }));
}

/** The same as `forget` tells and carries it out. */
export function forgetPlanOf({ sources, remove }: RetentionOutlook): ForgetPlan {
  const groups = sources.map(({ key, verdicts }) => ({
    key,
    keep: verdicts.filter(({ kept }) => kept).map(({ snapshot, reasons }) => ({ snapshot, reasons, counters: {} })),
    remove: verdicts.filter(({ kept }) => !kept).map(({ snapshot }) => snapshot),
  }));
  return { groups, remove };
}

/** How many stored bytes nobody would need any more. Reads all trees, twice. */
export async function bytesOnlyIn(
  snapshots: readonly Snapshot[],
  repository: Pick<Repository, 'prune'>,
  signal: AbortSignal,
): Promise<number> {
  if (snapshots.length === 0) return 0;
  const used = async (without: readonly string[]): Promise<number> => {
    const plan = await repository.prune({ maxUnused: Infinity, planOnly: true, without }, () => false, signal);
    return plan.bytes.used;
  };
  return (await used([])) - (await used(snapshots.map(({ id }) => id)));
}

/** By the plan's one block of rules. */
function judge(snapshots: readonly Snapshot[], plan: Plan, now: Date): readonly Verdict<Snapshot>[] {
  const { calendar, keep, timeZone } = plan;
  if (calendar !== undefined) return judgeByCalendar(snapshots, calendar, timeZone);
  if (keep === undefined || keepsNothing(keep))
    return snapshots.toReversed().map((snapshot) => ({ snapshot, kept: true, reasons: ['no rules: all stay'] }));
  const judged = planRetention(snapshots, keep, now);
  const kept = new Map(judged.keep.map(({ snapshot, reasons }) => [snapshot.id, reasons]));
  return snapshots.toReversed().map((snapshot) => {
    const reasons = kept.get(snapshot.id);
    return { snapshot, kept: reasons !== undefined, reasons: reasons ?? ['no rule keeps it'] };
  });
}

/** Why nothing is to go for now: a plan that stopped saving must not lose what it has, too. */
async function holdOf(
  { plan }: RetentionRequest,
  snapshots: readonly Snapshot[],
  { repository, catalog, clock }: RetentionPorts,
): Promise<string | undefined> {
  const run = await latestBackup(plan.name, repository.location, catalog);
  if (run !== undefined) return failureOf(run);
  const newest = snapshots.at(-1);
  if (newest === undefined || plan.schedule === undefined) return undefined;
  const { schedule, timeZone } = plan;
  const late = lateness({ schedule, ...(timeZone !== undefined && { timeZone }) }, new Date(newest.time), clock.now());
  return late?.isOverdue === true ? 'no backup has followed it, and one is overdue' : undefined;
}

/** The last time that this machine backed the plan up, if it remembers. */
export async function latestBackup(
  plan: string,
  repository: string,
  catalog: Pick<Catalog, 'runs'>,
): Promise<RunRecord | undefined> {
  const runs = await catalog.runs({ subject: plan, limit: RECENT_RUNS });
  return runs.find((run) => run.operation === 'backup' && run.repository === repository);
}

/** Why nothing is to go after such a run; undefined: it is no reason. */
export function failureOf({ outcome }: RunRecord): string | undefined {
  switch (outcome?.state) {
    case 'succeeded':
    case 'incomplete':
      return undefined;
    case 'failed':
      return 'the last backup failed';
    case 'cancelled':
      return 'the last backup was cancelled';
    case undefined:
      return 'the last backup has not ended';
  }
}
