/** Retention by the calendar: each snapshot belongs to the classes of the day on which it was taken. */
import { calendarDay } from './calendar-day.ts';
import type { CalendarRules } from './plan.ts';
import { isIncomplete, type Snapshot } from './snapshot.ts';
import { isFull } from './strategy.ts';
import { compareTimestamps, parseTimestamp } from './timestamp.ts';
import type { Judged, Verdict } from './verdict.ts';

export const CALENDAR_CLASSES = ['daily', 'weekly', 'monthly', 'yearly', 'full'] as const;
type CalendarClass = (typeof CALENDAR_CLASSES)[number];

export const CALENDAR_DEFAULTS: CalendarRules = { daily: 7, weekly: 4, monthly: 12, yearly: 0, full: 3 };

/** What a class's place is taken by: a number of snapshots so far. */
interface Places {
  all: number;
  complete: number;
}

/**
 * Judges the snapshots of one source: of each class the newest stay, so many as its rule says, and a snapshot stays
 * if any of its classes keeps it. An incomplete snapshot never takes the place of a complete one.
 * @param timeZone in which days begin; absent: that of the machine which took the snapshot.
 * @returns newest first
 * @throws RangeError for times and zones that cannot be read
 */
export function judgeByCalendar<S extends Judged & Pick<Snapshot, 'parent'>>(
  snapshots: readonly S[],
  rules: CalendarRules,
  timeZone?: string,
): readonly Verdict<S>[] {
  const places = new Map<CalendarClass, Places>(CALENDAR_CLASSES.map((name) => [name, { all: 0, complete: 0 }]));
  return newestFirst(snapshots).map((snapshot) => {
    const keeps: string[] = [];
    const drops: string[] = [];
    for (const name of classesOf(snapshot, timeZone)) {
      const place = takePlace(places.get(name) ?? { all: 0, complete: 0 }, isIncomplete(snapshot));
      if (place <= rules[name]) keeps.push(`${name} ${String(place)} of ${shown(rules[name])}`);
      else drops.push(rules[name] === 0 ? `${name} keeps none` : `${name} keeps ${shown(rules[name])} newer`);
    }
    return { snapshot, kept: keeps.length > 0, reasons: keeps.length > 0 ? keeps : drops };
  });
}

/** Never none: each day is a Sunday or another one. */
function classesOf(snapshot: Judged & Pick<Snapshot, 'parent'>, timeZone?: string): readonly CalendarClass[] {
  const { month, day, weekday } = calendarDay(snapshot.time, timeZone);
  return [
    weekday === 0 ? 'weekly' : 'daily',
    ...(day === 1 ? (['monthly'] as const) : []),
    ...(day === 1 && month === 1 ? (['yearly'] as const) : []),
    ...(isFull(snapshot) ? (['full'] as const) : []),
  ];
}

/** @returns which one of its class it is, counted from 1. */
function takePlace(taken: Places, incomplete: boolean): number {
  taken.all += 1;
  if (!incomplete) taken.complete += 1;
  return incomplete ? taken.all : taken.complete;
}

function shown(limit: number): string {
  return limit === Infinity ? 'all' : String(limit);
}

function newestFirst<S extends Judged>(snapshots: readonly S[]): readonly S[] {
  return snapshots
    .map((snapshot) => ({ snapshot, time: parseTimestamp(snapshot.time) }))
    .sort((a, b) => compareTimestamps(b.time, a.time))
    .map(({ snapshot }) => snapshot);
}
