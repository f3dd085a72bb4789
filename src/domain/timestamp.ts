/**
 * Times with their zone, for arithmetic by the calendar. Snapshots carry the zone of the machine that took them, and
 * the day, week or year that a snapshot belongs to is the one that its own clock showed.
 */
import type { Duration } from './duration.ts';

export interface Timestamp {
  /** Since 1970 UTC. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** The zone: seconds east of UTC, or this machine's with its changes between summer and winter. */
  readonly zone: number | 'local';
}

const PATTERN = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|([+-])(\d\d):(\d\d))$/;

/**
 * Reads RFC 3339. An offset that is the local zone's at that time stands for the local zone, as in restic, so that a
 * month before a summer's noon is noon in winter, too.
 * @throws RangeError for anything else.
 */
export function parseTimestamp(text: string): Timestamp {
  const [, clock = '', fraction = '', zone = '', sign, hours, minutes] = PATTERN.exec(text) ?? [];
  const seconds = Date.parse(clock + zone) / 1000;
  if (Number.isNaN(seconds)) throw new RangeError(`"${text}" is no RFC 3339 time`);
  const offset = (sign === '-' ? -60 : 60) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
  const isLocal = zone !== 'Z' && localOffset(seconds) === offset;
  return { seconds, nanoseconds: Number(fraction.padEnd(9, '0')), zone: isLocal ? 'local' : offset };
}

/** Negative if `a` is earlier. */
export function compareTimestamps(a: Timestamp, b: Timestamp): number {
  return a.seconds - b.seconds || a.nanoseconds - b.nanoseconds;
}

/** What the clock on the wall of its zone shows: a date whose UTC fields are to be read. */
export function wallClock({ seconds, zone }: Timestamp): Date {
  return new Date((seconds + (zone === 'local' ? localOffset(seconds) : zone)) * 1000);
}

/** Years, months and days by the calendar (31 March less a month is 3 March), then hours by the clock. */
export function subtract(time: Timestamp, { years, months, days, hours }: Duration): Timestamp {
  const wall = wallClock(time);
  wall.setUTCFullYear(wall.getUTCFullYear() - years, wall.getUTCMonth() - months, wall.getUTCDate() - days);
  const seconds = fromWall(wall.getTime() / 1000, time.zone) - hours * 3600;
  return { ...time, seconds };
}

/** Where the clock is put forward or back a wall time may be missing or come twice: then as Go decides, and restic. */
function fromWall(wall: number, zone: Timestamp['zone']): number {
  if (zone !== 'local') return wall - zone;
  const guess = wall - localOffset(wall);
  return wall - localOffset(guess);
}

/** Seconds east of UTC that this machine's clock is ahead at that time. */
function localOffset(seconds: number): number {
  return new Date(seconds * 1000).getTimezoneOffset() * -60;
}
