import { describe, expect, it } from 'vitest';
import { lateness, nextTime } from './schedule.ts';

const at = (text: string): Date => new Date(text);

describe('nextTime', () => {
  it('is meant in the zone of the plan', () => {
    expect(nextTime({ schedule: '0 2 * * *', timeZone: 'Europe/Madrid' }, at('2025-06-01T12:00:00Z'))).toEqual(
      at('2025-06-02T00:00:00Z'),
    );
    expect(nextTime({ schedule: '0 2 * * *', timeZone: 'UTC' }, at('2025-06-01T12:00:00Z'))).toEqual(
      at('2025-06-02T02:00:00Z'),
    );
  });

  it('comes once on the nights when clocks are changed', () => {
    const madrid = { schedule: '30 2 * * *', timeZone: 'Europe/Madrid' };
    const times = (from: string): string[] => {
      const first = nextTime(madrid, at(from));
      const second = first && nextTime(madrid, first);
      return [first, second].map((time) => time?.toISOString() ?? '');
    };
    // 02:30 does not exist on 30 March, when 02:00 is 03:00 at once; on 26 October it comes twice.
    expect(times('2025-03-29T12:00:00Z')).toEqual(['2025-03-30T01:00:00.000Z', '2025-03-31T00:30:00.000Z']);
    expect(times('2025-10-25T12:00:00Z')).toEqual(['2025-10-26T00:30:00.000Z', '2025-10-27T01:30:00.000Z']);
  });
});

describe('lateness', () => {
  const daily = { schedule: '0 2 * * *', timeZone: 'UTC' };
  const newest = at('2025-06-01T02:00:05Z');

  it('is none until the next backup is due', () => {
    expect(lateness(daily, newest, at('2025-06-02T01:59:59Z'))).toBeUndefined();
  });

  it('begins when it is due, and is overdue after half of the time to the following one', () => {
    const since = at('2025-06-02T02:00:00Z');
    expect(lateness(daily, newest, since)).toEqual({ since, isOverdue: false });
    expect(lateness(daily, newest, at('2025-06-02T13:59:59Z'))).toEqual({ since, isOverdue: false });
    expect(lateness(daily, newest, at('2025-06-02T14:00:00Z'))).toEqual({ since, isOverdue: true });
    const hourly = { schedule: '@hourly', timeZone: 'UTC' };
    expect(lateness(hourly, newest, at('2025-06-01T03:30:00Z'))).toMatchObject({ isOverdue: true });
  });

  it('has no more patience than twelve hours, however rare the backups', () => {
    const monthly = { schedule: '0 0 1 * *', timeZone: 'UTC' };
    expect(lateness(monthly, newest, at('2025-07-01T11:00:00Z'))).toMatchObject({ isOverdue: false });
    expect(lateness(monthly, newest, at('2025-07-01T12:00:00Z'))).toMatchObject({ isOverdue: true });
  });
});
