import { InvalidArgumentError } from 'commander';

/** `2025-01-31 07:05:09` in this machine's zone, or RFC 3339. */
export function parseTime(text: string): Date {
  const time = new Date(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text) ? text.replace(' ', 'T') : text);
  if (!Number.isNaN(time.getTime()) && /^\d{4}-\d\d-\d\d/.test(text)) return time;
  throw new InvalidArgumentError('Write it as "2025-01-31 07:05:09".');
}
