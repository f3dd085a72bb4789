/** A length of time by the calendar, as restic's `--keep-within` takes it. */
export interface Duration {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const UNITS = { y: 'years', m: 'months', d: 'days', h: 'hours' } as const;

function isUnit(text: string | undefined): text is keyof typeof UNITS {
  return text !== undefined && Object.hasOwn(UNITS, text);
}

/** Reads `2y5m7d3h`: any of the units, in any order. Undefined for anything else, nothing at all included. */
export function parseDuration(text: string): Duration | undefined {
  const trimmed = text.trim();
  if (!/^(\d{1,9}[ymdh])+$/.test(trimmed)) return undefined;
  const duration = { years: 0, months: 0, days: 0, hours: 0 };
  for (const [, count, unit] of trimmed.matchAll(/(\d+)([ymdh])/g)) {
    if (isUnit(unit)) duration[UNITS[unit]] = Number(count);
  }
  return duration;
}

/** The inverse of {@link parseDuration}: largest unit first, without what is 0. */
export function formatDuration(duration: Duration): string {
  return (['y', 'm', 'd', 'h'] as const)
    .map((unit) => (duration[UNITS[unit]] === 0 ? '' : `${String(duration[UNITS[unit]])}${unit}`))
    .join('');
}
