import { parseTimestamp, wallClock } from './timestamp.ts';

/** A day as a calendar on the wall shows it. */
export interface CalendarDay {
  readonly year: number;
  /** 1 … 12 */
  readonly month: number;
  /** 1 … 31 */
  readonly day: number;
  /** 0: Sunday … 6: Saturday */
  readonly weekday: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * The day on which something happened.
 * @param time RFC 3339
 * @param timeZone such as `Europe/Madrid`; absent: the zone that the time itself is written in.
 * @throws RangeError for a time or a zone that there is not.
 */
export function calendarDay(time: string, timeZone?: string): CalendarDay {
  const stamp = parseTimestamp(time);
  const wall = timeZone === undefined ? wallClock(stamp) : wallIn(timeZone, stamp.seconds);
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    weekday: wall.getUTCDay(),
  };
}

/** Whether there is such a zone: `Europe/Madrid`, `UTC`. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** A date whose UTC fields are the day's. */
function wallIn(timeZone: string, seconds: number): Date {
  const parts = formatOf(timeZone).formatToParts(seconds * 1000);
  const field = (wanted: string): number => Number(parts.find(({ type }) => type === wanted)?.value);
  return new Date(new Date(0).setUTCFullYear(field('year'), field('month') - 1, field('day')));
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    const fields = { year: 'numeric', month: 'numeric', day: 'numeric' } as const;
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', { timeZone, ...fields });
    formats.set(timeZone, format);
  }
  return format;
}
