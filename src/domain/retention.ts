/** Which snapshots stay: restic's forget policy, rule by rule, and a guard on top of it. Nothing here removes anything. */
import type { Duration } from './duration.ts';
import { formatDuration, parseDuration } from './duration.ts';
import type { KeepRules } from './plan.ts';
import type { Snapshot } from './snapshot.ts';
import { isIncomplete } from './snapshot.ts';
import type { Timestamp } from './timestamp.ts';
import { compareTimestamps, parseTimestamp, subtract, wallClock } from './timestamp.ts';

/** What retention looks at. */
type Aged = Pick<Snapshot, 'id' | 'time' | 'tags'>;

/** How many more snapshots each rule would have kept after this one; -1: any number. */
export type KeepCounters = Readonly<Partial<Record<CountedRule, number>>>;

export interface Kept<S> {
  readonly snapshot: S;
  /** In restic's words: `daily snapshot`, `within 1y`, `has tags [a, b]` … */
  readonly reasons: readonly string[];
  readonly counters: KeepCounters;
}

/** Newest first, both. */
export interface RetentionPlan<S> {
  readonly keep: readonly Kept<S>[];
  readonly remove: readonly S[];
}

const COUNTED = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
type CountedRule = (typeof COUNTED)[number];

const WITHIN = {
  hourly: 'withinHourly',
  daily: 'withinDaily',
  weekly: 'withinWeekly',
  monthly: 'withinMonthly',
  yearly: 'withinYearly',
} as const satisfies Partial<Record<CountedRule, keyof KeepRules>>;

/** Of each hour, day … of which there is a snapshot a rule keeps the newest: those with a number of their own. */
const PERIODS: Readonly<Record<CountedRule, (wall: Date, position: number) => number>> = {
  last: (_, position) => position,
  hourly: (wall) => PERIODS.daily(wall, 0) * 100 + wall.getUTCHours(),
  daily: (wall) => PERIODS.monthly(wall, 0) * 100 + wall.getUTCDate(),
  weekly: isoWeek,
  monthly: (wall) => PERIODS.yearly(wall, 0) * 100 + wall.getUTCMonth() + 1,
  yearly: (wall) => wall.getUTCFullYear(),
};

interface Rule {
  readonly reason: string;
  readonly period: (wall: Date, position: number) => number;
  /** Only snapshots after this count. */
  readonly after?: Timestamp | undefined;
  /** How many it may still keep. */
  left: number;
  lastPeriod: number;
}

/** Whether the rules would keep nothing at all: nobody can mean that. */
export function keepsNothing(rules: KeepRules): boolean {
  const durations = [rules.within, ...Object.values(WITHIN).map((name) => rules[name])];
  return (
    COUNTED.every((name) => countOf(rules[name]) === 0) &&
    durations.every((duration) => durationOf(duration) === undefined) &&
    (rules.tags ?? []).length === 0
  );
}

/**
 * What restic's `forget` would keep and remove of one group of snapshots. The oldest one counts for every rule that
 * has not kept its number yet.
 * @param now snapshots from the future do not count as the newest, from which `within` is measured.
 * @throws RangeError for a rule or a snapshot's time that cannot be read.
 */
export function planRetention<S extends Aged>(snapshots: readonly S[], rules: KeepRules, now: Date): RetentionPlan<S> {
  const newestFirst = snapshots
    .map((snapshot) => ({ snapshot, time: parseTimestamp(snapshot.time) }))
    .sort((a, b) => compareTimestamps(b.time, a.time));
  const latest = newestFirst.find(({ time }) => compareTimestamps(time, fromDate(now)) < 0)?.time;
  const counted = COUNTED.map((name) => countedRule(name, rules));
  const all = [...counted, ...withinRules(rules, latest)];
  const within = withinRule(rules.within, latest);
  const keep: Kept<S>[] = [];
  const remove: S[] = [];
  for (const [position, { snapshot, time }] of newestFirst.entries()) {
    const isOldest = position === newestFirst.length - 1;
    const wall = wallClock(time);
    const reasons = [
      ...tagReasons(snapshot, rules.tags ?? []),
      ...(within !== undefined && isAfter(time, within.after) ? [within.reason] : []),
      ...all.flatMap((rule) => (isAfter(time, rule.after) ? take(rule, rule.period(wall, position), isOldest) : [])),
    ];
    if (reasons.length > 0) keep.push({ snapshot, reasons, counters: countersOf(counted) });
    else remove.push(snapshot);
  }
  return { keep, remove };
}

/**
 * The same plan, with what must not be lost kept as well: the newest complete snapshot of the group and, where none is
 * complete, at least the newest one.
 */
export function guardRetention<S extends Aged>(plan: RetentionPlan<S>): RetentionPlan<S> {
  const endangered = lastGood(plan);
  if (endangered === undefined) return plan;
  const { snapshot } = endangered;
  const keep = [...plan.keep, { snapshot, reasons: [endangered.reason], counters: {} }];
  return {
    keep: keep.sort((a, b) => compareTimestamps(parseTimestamp(b.snapshot.time), parseTimestamp(a.snapshot.time))),
    remove: plan.remove.filter((one) => one !== snapshot),
  };
}

function lastGood<S extends Aged>({ keep, remove }: RetentionPlan<S>): { snapshot: S; reason: string } | undefined {
  const removed = remove.find((snapshot) => !isIncomplete(snapshot));
  const kept = keep.find(({ snapshot }) => !isIncomplete(snapshot))?.snapshot;
  if (removed !== undefined && (kept === undefined || isNewer(removed, kept))) {
    return { snapshot: removed, reason: 'last complete snapshot' };
  }
  const [newest] = remove;
  return keep.length > 0 || newest === undefined ? undefined : { snapshot: newest, reason: 'only snapshot left' };
}

function isNewer(a: Aged, b: Aged): boolean {
  return compareTimestamps(parseTimestamp(a.time), parseTimestamp(b.time)) > 0;
}

function countedRule(name: CountedRule, rules: KeepRules): Rule {
  return { reason: `${name} snapshot`, period: PERIODS[name], left: countOf(rules[name]), lastPeriod: -1 };
}

function withinRules(rules: KeepRules, latest: Timestamp | undefined): Rule[] {
  return COUNTED.flatMap((name) => {
    if (name === 'last') return [];
    const within = withinRule(rules[WITHIN[name]], latest);
    if (within === undefined) return [];
    const reason = `${name} ${within.reason}`;
    return [{ ...within, reason, period: PERIODS[name], left: Infinity, lastPeriod: -1 }];
  });
}

/** Without a newest snapshot, all are within any time of it. */
function withinRule(
  text: string | undefined,
  latest: Timestamp | undefined,
): { reason: string; after: Timestamp | undefined } | undefined {
  const duration = durationOf(text);
  if (duration === undefined) return undefined;
  return { reason: `within ${formatDuration(duration)}`, after: latest && subtract(latest, duration) };
}

/** Tries a snapshot, the next older one, on a rule. @returns why it is kept, if it is. */
function take(rule: Rule, period: number, isOldest: boolean): string[] {
  const isNew = period !== rule.lastPeriod;
  if (rule.left <= 0 || !(isNew || isOldest)) return [];
  rule.lastPeriod = period;
  rule.left -= 1;
  return [isNew ? rule.reason : `oldest ${rule.reason}`];
}

/** Each item is a tag, or several with commas between them, which must then all be there; '' stands for no tag. */
function tagReasons({ tags = [] }: Aged, wanted: readonly string[]): string[] {
  return wanted
    .map((item) => item.split(',').map((tag) => tag.trim()))
    .filter((all) => all.every((tag) => tags.includes(tag)) || (tags.length === 0 && all[0] === ''))
    .map((all) => `has tags [${all.join(', ')}]`);
}

function countersOf(rules: readonly Rule[]): KeepCounters {
  const counters = COUNTED.map((name, i) => {
    const left = rules[i]?.left ?? 0;
    return [name, left === Infinity ? -1 : left] as const;
  });
  return Object.fromEntries(counters.filter(([, left]) => left !== 0));
}

function isAfter(time: Timestamp, threshold: Timestamp | undefined): boolean {
  return threshold === undefined || compareTimestamps(time, threshold) > 0;
}

/** -1 is restic's word for all. */
function countOf(count = 0): number {
  if (count === -1) return Infinity;
  if (count !== Infinity && !(Number.isSafeInteger(count) && count >= 0)) {
    throw new RangeError(`cannot keep ${String(count)} snapshots`);
  }
  return count;
}

/** Undefined for a length of nothing, which is no rule. */
function durationOf(text: string | undefined): Duration | undefined {
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  if (duration === undefined) throw new RangeError(`"${text}" is no duration such as 1y6m7d12h`);
  return formatDuration(duration) === '' ? undefined : duration;
}

/** Weeks begin on Monday and belong to the year in which their Thursday lies. */
function isoWeek(wall: Date): number {
  const thursday = new Date(wall);
  thursday.setUTCDate(wall.getUTCDate() + 4 - (wall.getUTCDay() || 7));
  const year = thursday.getUTCFullYear();
  const dayOfYear = (thursday.setUTCHours(0, 0, 0, 0) - new Date(0).setUTCFullYear(year, 0, 1)) / 86_400_000;
  return year * 100 + Math.floor(dayOfYear / 7) + 1;
}

function fromDate(date: Date): Timestamp {
  const seconds = Math.floor(date.getTime() / 1000);
  return { seconds, nanoseconds: (date.getTime() - seconds * 1000) * 1_000_000, zone: 0 };
}
