/** Times as restic stores them: RFC 3339 with up to nine fraction digits, in the local zone. */

const SECOND = 1_000_000_000n;
const DAY = 86_400;
/** Zones change their offset at multiples of a quarter of an hour, so that one question serves all times of a slot. */
const SLOT = 900;
const MAX_KEPT = 8192;
/** JavaScript's dates end here, well outside the years that RFC 3339 can write. */
const MAX_SECONDS = 8_640_000_000_000 - 2 * DAY;

/** Offset from UTC, in seconds and in words: `Z` or `+01:00`. */
interface Zone {
  readonly offset: number;
  readonly name: string;
}

const zones = new Map<number, Zone>();
const dates = new Map<number, string>();
const texts = new Map<number, { readonly clock: string; readonly zone: string }>();

/**
 * The time `ns` nanoseconds after 1970 UTC. Trailing zeros of the fraction are left out, `Z` stands for no offset.
 * Years outside 0 … 9999 are moved to the nearest of these, as restic does.
 */
export function formatTime(ns: bigint): string {
  const fraction = ((ns % SECOND) + SECOND) % SECOND;
  return formatInstant(Number((ns - fraction) / SECOND), Number(fraction));
}

/** The same of `seconds` after 1970 UTC and the nanoseconds to add. */
export function formatInstant(seconds: number, nanoseconds: number): string {
  const { clock, zone } = secondText(seconds);
  return `${clock}${formatFraction(nanoseconds)}${zone}`;
}

/** What stands before and behind the fraction. */
export function secondText(seconds: number): { readonly clock: string; readonly zone: string } {
  return recall(texts, seconds, formatSecond);
}

function formatSecond(seconds: number): { readonly clock: string; readonly zone: string } {
  const utc = Math.min(Math.max(seconds, -MAX_SECONDS), MAX_SECONDS);
  const zone = recall(zones, Math.floor(utc / SLOT), zoneOfSlot);
  const local = utc + zone.offset;
  const day = Math.floor(local / DAY);
  const second = local - day * DAY;
  const clock = `${pad(Math.floor(second / 3600))}:${pad(Math.floor(second / 60) % 60)}:${pad(second % 60)}`;
  return { clock: `${recall(dates, day, formatDate)}T${clock}`, zone: zone.name };
}

const pattern =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Whether {@link parseTime} takes it. */
export function isTime(text: string): boolean {
  return pattern.test(text);
}

/** Nanoseconds after 1970 UTC. @throws RangeError for text that is not an RFC 3339 time. */
export function parseTime(text: string): bigint {
  const match = pattern.exec(text);
  if (match === null) throw new RangeError(`not a time: ${JSON.stringify(text)}`);
  const [, year, month, day, hour, minute, second, fraction = '', sign, zoneHours = 0, zoneMinutes = 0] = match;
  const clock = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -60 : 60);
  const seconds = dayNumber(Number(year), Number(month), Number(day)) * DAY + clock - offset;
  return BigInt(seconds) * SECOND + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}

/** Days from 1970-01-01 in the Gregorian calendar; counting years from March puts the leap day at their end. */
function dayNumber(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return y * 365 + leapDays + dayOfYear - 719_468;
}

/** What `make` gives for `key`, kept; the memory is bounded. */
function recall<T>(kept: Map<number, T>, key: number, make: (key: number) => T): T {
  const known = kept.get(key);
  if (known !== undefined) return known;
  if (kept.size >= MAX_KEPT) kept.clear();
  const made = make(key);
  kept.set(key, made);
  return made;
}

function zoneOfSlot(slot: number): Zone {
  // Before standard time, offsets had seconds, which RFC 3339 cannot write: without them the instant stays right.
  const minutes = -Math.trunc(new Date(slot * SLOT * 1000).getTimezoneOffset());
  if (minutes === 0) return { offset: 0, name: 'Z' };
  const size = Math.abs(minutes);
  const name = `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
  return { offset: minutes * 60, name };
}

function formatDate(day: number): string {
  const date = new Date(day * DAY * 1000);
  const year = date.getUTCFullYear();
  if (year < 0 || year > 9999) date.setUTCFullYear(year < 0 ? 0 : 9999);
  return date.toISOString().slice(0, 10);
}

function formatFraction(ns: number): string {
  if (ns === 0) return '';
  const digits = String(ns).padStart(9, '0');
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return `.${digits.slice(0, end)}`;
}

function pad(value: number): string {
  return value < 10 ? `0${String(value)}` : String(value);
}
