import { Cron } from 'croner';

/** When the backups of a plan are expected. */
export interface Timetable {
  /** A valid cron expression of five fields. */
  readonly schedule: string;
  /** Absent: this machine's. */
  readonly timeZone?: string;
}

/** The last snapshot was due to be followed by another one at `since`. */
export interface Lateness {
  readonly since: Date;
  /** Whether it has been waited for long enough. */
  readonly isOverdue: boolean;
}

/** However rare the backups: a day that is half over has seen its backup, or misses it. */
const MOST_PATIENCE_MS = 12 * 60 * 60 * 1000;

/** The first time after `after`; none where the schedule has come to its end. */
export function nextTime({ schedule, timeZone }: Timetable, after: Date): Date | undefined {
  const cron = new Cron(schedule, {
    mode: '5-part',
    paused: true,
    ...(timeZone !== undefined && { timezone: timeZone }),
  });
  return cron.nextRun(after) ?? undefined;
}

/**
 * Whether the backup that should have followed the newest one has come late, or not at all. A backup takes its time and
 * machines start late: it is overdue when half of the time to the one after it has gone by, twelve hours at most.
 * @param newest when the newest snapshot was taken
 * @returns undefined while nothing is due
 */
export function lateness(timetable: Timetable, newest: Date, now: Date): Lateness | undefined {
  const since = nextTime(timetable, newest);
  if (since === undefined || since > now) return undefined;
  const following = nextTime(timetable, since);
  const patience = following === undefined ? MOST_PATIENCE_MS : (following.getTime() - since.getTime()) / 2;
  return { since, isOverdue: now.getTime() - since.getTime() >= Math.min(patience, MOST_PATIENCE_MS) };
}
