/** Sizes, durations and times as people read them. Binary units, as restic prints them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `0 B`, `1.500 KiB`, `12.345 GiB`. */
export function formatBytes(bytes: number, decimals = 3): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value.toFixed(0) : value.toFixed(decimals)} ${UNITS[unit] ?? 'B'}`;
}

/** `210.4 MiB/s`; nothing for no time. */
export function formatRate(bytes: number, milliseconds: number): string {
  return milliseconds > 0 ? `${formatBytes((bytes * 1000) / milliseconds, 1)}/s` : '';
}

/** `0:05`, `12:34`, `1:02:03`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}:${two(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** In the one unit that suits it: `40 seconds`, `3 hours`, `12 days`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return count(seconds, 'second');
  if (seconds < 2 * 3600) return count(Math.floor(seconds / 60), 'minute');
  if (seconds < 2 * 86_400) return count(Math.floor(seconds / 3600), 'hour');
  return count(Math.floor(seconds / 86_400), 'day');
}

/** `12.34%`; of nothing: `0.00%`. */
export function formatPercent(part: number, whole: number, decimals = 2): string {
  const share = whole > 0 ? Math.min(1, part / whole) : 0;
  return `${(share * 100).toFixed(decimals)}%`;
}

/** `2025-01-31 07:05:09`, in this machine's zone. */
export function formatTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** `1 file`, `2 files`, `1,234 snapshots`. */
export function count(amount: number, noun: string, plural = `${noun}s`): string {
  // Not toLocaleString: loading the tables of the world's languages for it takes as long as listing snapshots.
  const grouped = String(amount).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${grouped} ${amount === 1 ? noun : plural}`;
}
