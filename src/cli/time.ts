import { InvalidArgumentError } from 'commander';

const FORM = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(?: ?(Z|[+-]\d\d:?\d\d))?)?$/;

/** `2025-01-31 07:05:09` in this machine's zone, with less of the clock (then midnight), or with a zone of its own. */
export function parseTime(text: string): Date {
  const [, date = '', clock = '00:00', zone = ''] = FORM.exec(text) ?? [];
  const time = new Date(`${date}T${clock}${zone.replace(/(\d\d)(\d\d)$/, '$1:$2')}`);
  if (!Number.isNaN(time.getTime()) && isDay(date)) return time;
  throw new InvalidArgumentError('Write it as "2025-01-31 07:05:09".');
}

/** The 30th of February would pass for a day of March. */
function isDay(date: string): boolean {
  return new Date(`${date}T00:00Z`).toISOString().startsWith(date);
}

/** A time as {@link parseTime} reads it, or another moment, which the source understands. */
export function parseUntil(text: string): Date | string {
  return /^\d{4}-\d\d-\d\d(?:[ T]|$)/.test(text) ? parseTime(text) : text;
}

const SPAN = /^(?=.)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/;

/** `90s`, `5m`, `1h30m`: milliseconds. */
export function parseSpan(text: string): number {
  const match = SPAN.exec(text);
  if (match === null) throw new InvalidArgumentError('Write it as 90s, 5m or 1h30m.');
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((digits: string | undefined) => Number(digits ?? 0));
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}
