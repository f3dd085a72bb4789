import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calendarDay, isTimeZone } from './calendar-day.ts';

const shown = (time: string, zone?: string): string => {
  const { year, month, day, weekday } = calendarDay(time, zone);
  return `${year}-${month}-${day} ${['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][weekday]}`;
};

describe('calendarDay', () => {
  it.each([
    ['2025-03-01T23:30:00Z', 'UTC', '2025-3-1 Sat'],
    ['2025-03-01T23:30:00Z', 'Europe/Madrid', '2025-3-2 Sun'],
    ['2025-01-01T04:59:59Z', 'America/New_York', '2024-12-31 Tue'],
    ['2024-12-31T10:00:00Z', 'Pacific/Kiritimati', '2025-1-1 Wed'],
    ['2024-02-29T12:00:00.123456789+05:45', 'Asia/Kathmandu', '2024-2-29 Thu'],
  ])('of %s in %s is %s', (time, zone, day) => {
    expect(shown(time, zone)).toBe(day);
  });

  it('is the day of the clock that was written down, where no zone is given', () => {
    expect(shown('2025-03-02T00:30:00+05:45')).toBe('2025-3-2 Sun');
    expect(shown('2025-03-01T18:45:00Z')).toBe('2025-3-1 Sat');
  });

  it('keeps to the clocks of a place where they are put forward and back', () => {
    // Madrid: 2025-03-30 02:00 becomes 03:00, 2025-10-26 03:00 becomes 02:00.
    expect(shown('2025-03-29T22:59:59Z', 'Europe/Madrid')).toBe('2025-3-29 Sat');
    expect(shown('2025-03-29T23:00:00Z', 'Europe/Madrid')).toBe('2025-3-30 Sun');
    expect(shown('2025-03-30T21:59:59Z', 'Europe/Madrid')).toBe('2025-3-30 Sun');
    expect(shown('2025-03-30T22:00:00Z', 'Europe/Madrid')).toBe('2025-3-31 Mon');
    expect(shown('2025-10-26T22:59:59Z', 'Europe/Madrid')).toBe('2025-10-26 Sun');
    expect(shown('2025-10-26T23:00:00Z', 'Europe/Madrid')).toBe('2025-10-27 Mon');
  });

  it('agrees with the calendar of UTC', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1970-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
        (date) => {
          const day = calendarDay(date.toISOString(), 'UTC');
          expect(day).toEqual({
            year: date.getUTCFullYear(),
            month: date.getUTCMonth() + 1,
            day: date.getUTCDate(),
            weekday: date.getUTCDay(),
          });
        },
      ),
    );
  });

  it('throws for a zone that there is not', () => {
    expect(() => calendarDay('2025-03-01T00:00:00Z', 'Europe/Atlantis')).toThrow(RangeError);
    expect(isTimeZone('Europe/Atlantis')).toBe(false);
    expect(isTimeZone('America/Argentina/Buenos_Aires')).toBe(true);
  });
});
