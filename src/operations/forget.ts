import type { Clock } from '../clock.ts';
import type { KeepRules } from '../domain/plan.ts';
import { guardRetention, keepsNothing, planRetention, type Kept } from '../domain/retention.ts';
import { isLogStretch, LOG_NEEDED, neededStretches } from '../domain/log-stretch.ts';
import { groupSnapshots, type GroupBy, type GroupKey } from '../domain/snapshot-group.ts';
import type { Snapshot, SnapshotFilter } from '../domain/snapshot.ts';
import { RespaldoError } from '../errors.ts';
import type { Repository } from '../repository/repository.ts';

/** Rules, and the snapshots that they are for. */
export interface ForgetPolicy {
  readonly filter: SnapshotFilter;
  readonly rules: KeepRules;
  /** Each group is judged by itself. */
  readonly groupBy: GroupBy;
}

/** What a forget would do, as data: to be shown before anything is removed. */
export interface ForgetPlan {
  /** In the order of their first snapshots; none where snapshots were named one by one. */
  readonly groups: readonly ForgetGroup[];
  /** All that go. */
  readonly remove: readonly Snapshot[];
}

export interface ForgetGroup {
  readonly key: GroupKey;
  /** Newest first, as `remove`. */
  readonly keep: readonly Kept<Snapshot>[];
  readonly remove: readonly Snapshot[];
}

export interface ForgetPorts {
  readonly repository: Repository;
  readonly clock: Clock;
}

/**
 * Judges snapshots by rules. Whatever the rules say, the newest complete snapshot of each group stays.
 * @throws RespaldoError `usage` for rules that keep nothing or cannot be read.
 */
export async function planForget(policy: ForgetPolicy, ports: ForgetPorts, signal: AbortSignal): Promise<ForgetPlan> {
  requireRules(policy.rules);
  const snapshots = await ports.repository.snapshots(policy.filter, signal);
  const now = ports.clock.now();
  const groups = groupSnapshots(snapshots, policy.groupBy).map(({ key, snapshots: members }) => ({
    key,
    ...guardRetention(planRetention(members, policy.rules, now)),
  }));
  const guarded = await guardLogs(groups, ports, signal);
  return { groups: guarded, remove: guarded.flatMap(({ remove }) => remove) };
}

/** The same, with the stretches of logs kept that lead on from a base which stays. */
async function guardLogs(
  groups: readonly ForgetGroup[],
  { repository }: ForgetPorts,
  signal: AbortSignal,
): Promise<readonly ForgetGroup[]> {
  const goes = new Set(groups.flatMap(({ remove }) => remove.map(({ id }) => id)));
  const stretches = groups.flatMap(({ remove }) => remove.filter(isLogStretch));
  if (stretches.length === 0) return groups;
  const all = await repository.snapshots({}, signal);
  const needed = neededStretches(
    stretches,
    all.filter(({ id }) => !goes.has(id)),
  );
  return groups.map(({ key, keep, remove }) => {
    const kept = remove.filter(({ id }) => needed.has(id));
    const verdicts = kept.map((snapshot) => ({ snapshot, reasons: [LOG_NEEDED], counters: {} }));
    return {
      key,
      keep: [...keep, ...verdicts].toSorted((a, b) => Date.parse(b.snapshot.time) - Date.parse(a.snapshot.time)),
      remove: remove.filter(({ id }) => !needed.has(id)),
    };
  });
}

/** The snapshots that are named one by one: whoever names them means them. @throws RespaldoError `snapshot-missing`. */
export async function planForgetNamed(
  names: readonly string[],
  filter: SnapshotFilter,
  { repository }: Pick<ForgetPorts, 'repository'>,
  signal: AbortSignal,
): Promise<ForgetPlan> {
  const found = new Map<string, Snapshot>();
  for (const name of names) {
    const snapshot = await repository.find(name, filter, signal);
    found.set(snapshot.id, snapshot);
  }
  return { groups: [], remove: [...found.values()] };
}

/** Carries the plan out. Snapshots that came since are not touched. */
export async function forget(
  plan: ForgetPlan,
  { repository }: Pick<ForgetPorts, 'repository'>,
  signal: AbortSignal,
): Promise<void> {
  if (plan.remove.length === 0) return;
  await repository.forget(
    plan.remove.map(({ id }) => id),
    signal,
  );
}

function requireRules(rules: KeepRules): void {
  let empty: boolean;
  try {
    empty = keepsNothing(rules);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RespaldoError('usage', error.message, { cause: error });
  }
  if (!empty) return;
  throw new RespaldoError('usage', 'no rule says which snapshots to keep: nothing was removed', {
    hint: 'Give at least one: --keep-daily 7, or keep: { daily: 7 } at a plan in respaldo.yaml.',
  });
}
