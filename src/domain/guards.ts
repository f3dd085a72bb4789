/** What must not be lost, whatever the rules say: a second stage of retention that only ever keeps more. */
import { proofOf } from './proof.ts';
import { isIncomplete } from './snapshot.ts';
import { compareTimestamps, parseTimestamp } from './timestamp.ts';
import type { Judged, Verdict } from './verdict.ts';

export interface GuardQuestion<S> {
  /** Whose snapshots may go: those that carry its tag and were taken on its host. */
  readonly plan: { readonly name: string; readonly hostname: string };
  /** Ids of what a snapshot cannot do without. */
  readonly needs: (snapshot: S) => readonly string[];
  /** Why nothing may go at all, for now. */
  readonly hold?: string;
}

/** The tag that tells which plan took a snapshot. */
export function planTag(name: string): string {
  return `plan=${name}`;
}

/**
 * The same verdicts on the snapshots of one source, with what must not be lost kept as well:
 * - what is not of this plan and host alone;
 * - the newest complete snapshot and the newest proven one or, where none is complete, the newest;
 * - everything, while there is a reason to hold;
 * - whatever a snapshot that stays needs.
 */
export function guardVerdicts<S extends Judged>(
  verdicts: readonly Verdict<S>[],
  { plan, needs, hold }: GuardQuestion<S>,
): readonly Verdict<S>[] {
  const own = verdicts.map(({ snapshot }) => snapshot).filter((snapshot) => isOwn(snapshot, plan));
  const reasons = lastOnes(own);
  const guarded = verdicts.map((verdict) => {
    const { snapshot } = verdict;
    if (!isOwn(snapshot, plan)) return keptFor(verdict, `not of the plan ${plan.name} alone`);
    return keptFor(verdict, reasons.get(snapshot.id) ?? hold);
  });
  return withNeeded(guarded, needs);
}

/**
 * Which of the snapshots that are to go, because another one takes their name, stay without it: what retention would not
 * let go of the same source either.
 * @param all the snapshots of the repository, the oldest first; what is to go and what takes the name are among them.
 * @param needs made of the snapshots of one source; see {@link GuardQuestion}.
 * @returns why, by id
 */
export function guardNamesakes<S extends Judged>(
  going: readonly S[],
  all: readonly S[],
  needs: (source: readonly S[]) => GuardQuestion<S>['needs'],
): ReadonlyMap<string, string> {
  const ids = new Set(going.map(({ id }) => id));
  const stay = new Map<string, string>();
  for (const sources of Map.groupBy(all, sourceOf).values()) {
    if (!sources.some(({ id }) => ids.has(id))) continue;
    const reasons = lastOnes(sources);
    const verdicts = sources.map((snapshot): Verdict<S> => {
      const verdict = { snapshot, kept: !ids.has(snapshot.id), reasons: [] };
      return keptFor(verdict, reasons.get(snapshot.id));
    });
    for (const { snapshot, kept, reasons: why } of withNeeded(verdicts, needs(sources)))
      if (kept && ids.has(snapshot.id)) stay.set(snapshot.id, why[0] ?? '');
  }
  return stay;
}

/** The same for snapshots of one source of one plan, or of none, on one host. */
function sourceOf({ hostname, paths, tags = [] }: Judged): string {
  return JSON.stringify([hostname, paths.toSorted(), tags.filter((tag) => tag.startsWith(planTag(''))).toSorted()]);
}

/** Whether the plan took the snapshot on its host, and no other plan says that it is its own. */
export function isOwn(
  { hostname, tags = [] }: Judged,
  plan: { readonly name: string; readonly hostname: string },
): boolean {
  const plans = tags.filter((tag) => tag.startsWith(planTag('')));
  return hostname === plan.hostname && plans.length === 1 && plans[0] === planTag(plan.name);
}

/** By id: the ones without which nothing, or nothing that is sure, could be restored. */
function lastOnes(snapshots: readonly Judged[]): ReadonlyMap<string, string> {
  const complete = newest(snapshots.filter((snapshot) => !isIncomplete(snapshot)));
  const proven = newest(snapshots.filter((snapshot) => proofOf(snapshot) === 'proven'));
  const only = complete === undefined ? newest(snapshots) : undefined;
  return new Map([
    ...(only === undefined ? [] : [[only.id, 'only snapshot left'] as const]),
    ...(proven === undefined ? [] : [[proven.id, 'last proven snapshot'] as const]),
    ...(complete === undefined ? [] : [[complete.id, 'last complete snapshot'] as const]),
  ]);
}

/** Whatever is needed by what stays stays, and what that needs. */
function withNeeded<S extends Judged>(
  verdicts: readonly Verdict<S>[],
  needs: GuardQuestion<S>['needs'],
): readonly Verdict<S>[] {
  const byId = new Map(verdicts.map((verdict) => [verdict.snapshot.id, verdict]));
  const waiting = verdicts.filter(({ kept }) => kept);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const id of needs(next.snapshot)) {
      const needed = byId.get(id);
      if (needed === undefined || needed.kept) continue;
      const kept = keptFor(needed, `needed by ${next.snapshot.id.slice(0, 8)}`);
      byId.set(id, kept);
      waiting.push(kept);
    }
  }
  return verdicts.map((verdict) => byId.get(verdict.snapshot.id) ?? verdict);
}

function keptFor<S>(verdict: Verdict<S>, reason: string | undefined): Verdict<S> {
  return verdict.kept || reason === undefined ? verdict : { ...verdict, kept: true, reasons: [reason] };
}

function newest<S extends Judged>(snapshots: readonly S[]): S | undefined {
  return snapshots.reduce<S | undefined>((best, one) => (best && !isNewer(one, best) ? best : one), undefined);
}

function isNewer(a: Judged, b: Judged): boolean {
  return compareTimestamps(parseTimestamp(a.time), parseTimestamp(b.time)) > 0;
}
