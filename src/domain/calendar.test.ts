import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CALENDAR_DEFAULTS, judgeByCalendar } from './calendar.ts';
import type { CalendarRules } from './plan.ts';
import type { Judged } from './verdict.ts';

const NONE: CalendarRules = { daily: 0, weekly: 0, monthly: 0, yearly: 0, full: 0 };

/** At noon of a day, with tags. */
function taken(day: string, ...tags: string[]): Judged {
  return { id: day, time: `${day}T12:00:00Z`, tags: ['type=incremental', ...tags], hostname: 'h', paths: ['/p'] };
}

/** So many days, the last one first. */
function daysUpTo(last: string, days: number): Judged[] {
  return Array.from({ length: days }, (_, i) =>
    taken(new Date(Date.parse(last) - i * 86_400_000).toISOString().slice(0, 10)),
  );
}

const judged = (snapshots: readonly Judged[], rules: CalendarRules, zone = 'UTC') =>
  judgeByCalendar(snapshots, rules, zone).map(({ snapshot, kept, reasons }) => [snapshot.id, kept, reasons.join('; ')]);
const keptIds = (snapshots: readonly Judged[], rules: Partial<CalendarRules>, zone?: string): string[] =>
  judgeByCalendar(snapshots, { ...NONE, ...rules }, zone)
    .filter(({ kept }) => kept)
    .map(({ snapshot }) => snapshot.id);

describe('judgeByCalendar', () => {
  it('keeps the newest of each class, and tells which place they have', () => {
    // 2025-06-01 is a Sunday.
    const snapshots = daysUpTo('2025-06-03', 5);
    expect(judged(snapshots, { ...NONE, daily: 2, weekly: 1, monthly: 1 })).toEqual([
      ['2025-06-03', true, 'daily 1 of 2'],
      ['2025-06-02', true, 'daily 2 of 2'],
      ['2025-06-01', true, 'weekly 1 of 1; monthly 1 of 1'],
      ['2025-05-31', false, 'daily keeps 2 newer'],
      ['2025-05-30', false, 'daily keeps 2 newer'],
    ]);
  });

  it('keeps seven days, four Sundays and twelve months of a year of daily backups, unless told otherwise', () => {
    const kept = keptIds(daysUpTo('2025-06-30', 400), CALENDAR_DEFAULTS);
    const sundays = ['2025-06-29', '2025-06-22', '2025-06-15', '2025-06-08'];
    const days = ['2025-06-30', '2025-06-28', '2025-06-27', '2025-06-26', '2025-06-25', '2025-06-24', '2025-06-23'];
    const firsts = Array.from({ length: 12 }, (_, i) => new Date(Date.UTC(2025, 5 - i, 1)).toISOString().slice(0, 10));
    expect(kept.toSorted()).toEqual([...new Set([...sundays, ...days, ...firsts])].toSorted());
  });

  it('has a class for 1 January, and one for what read everything', () => {
    const snapshots = [taken('2025-01-01'), taken('2024-01-01'), { ...taken('2024-05-06'), tags: ['type=full'] }];
    expect(keptIds(snapshots, { yearly: 1 })).toEqual(['2025-01-01']);
    expect(keptIds(snapshots, { yearly: Infinity })).toEqual(['2025-01-01', '2024-01-01']);
    expect(keptIds(snapshots, { full: 3 })).toEqual(['2024-05-06']);
  });

  it('counts snapshots, not days', () => {
    const monday = ['08', '12', '18'].map((hour) => ({
      ...taken('2025-06-02'),
      id: hour,
      time: `2025-06-02T${hour}:00:00Z`,
    }));
    expect(keptIds(monday, { daily: 2 })).toEqual(['18', '12']);
  });

  it('takes days from the zone of the plan', () => {
    const late = { ...taken('x'), time: '2025-05-31T23:30:00Z' };
    expect(keptIds([late], { monthly: 1 }, 'UTC')).toEqual([]);
    expect(keptIds([late], { monthly: 1 }, 'Europe/Madrid')).toEqual(['x']);
  });

  it('gives no place of a complete snapshot to an incomplete one', () => {
    const snapshots = [
      taken('2025-06-06', 'incomplete'),
      taken('2025-06-05', 'incomplete'),
      taken('2025-06-04', 'incomplete'),
      taken('2025-06-03'),
      taken('2025-06-02'),
      taken('2025-05-31'),
    ];
    expect(keptIds(snapshots, { daily: 2 })).toEqual(['2025-06-06', '2025-06-05', '2025-06-03', '2025-06-02']);
  });

  it('judges every snapshot once, newest first, and keeps no fewer where a rule keeps more', () => {
    const anySnapshots = fc.array(
      fc.record({
        hours: fc.integer({ min: 0, max: 20_000 }),
        tags: fc.subarray(['type=full', 'incomplete', 'x']),
      }),
      { maxLength: 40 },
    );
    const anyRules = fc.record({
      daily: fc.nat(9),
      weekly: fc.nat(5),
      monthly: fc.nat(5),
      yearly: fc.constantFrom(0, 1, Infinity),
      full: fc.nat(4),
    });
    fc.assert(
      fc.property(anySnapshots, anyRules, fc.constantFrom('UTC', 'Asia/Tokyo', 'America/Lima'), (all, rules, zone) => {
        const snapshots = all.map(({ hours, tags }, i) => ({
          ...taken('2022-12-31', ...tags),
          id: String(i),
          time: new Date(Date.parse('2022-12-31') + hours * 3_600_000).toISOString(),
        }));
        const verdicts = judgeByCalendar(snapshots, rules, zone);
        expect(verdicts.map(({ snapshot }) => snapshot.id).toSorted()).toEqual(
          snapshots.map(({ id }) => id).toSorted(),
        );
        const times = verdicts.map(({ snapshot }) => Date.parse(snapshot.time));
        expect(times).toEqual(times.toSorted((a, b) => b - a));
        expect(verdicts.every(({ reasons }) => reasons.length > 0)).toBe(true);
        for (const [rule, count] of Object.entries(rules))
          expect(keptIds(snapshots, { ...rules, [rule]: count + 1 }, zone)).toEqual(
            expect.arrayContaining(keptIds(snapshots, rules, zone)),
          );
      }),
    );
  });
});
