import type { Pace } from '../pace.ts';
import { formatBytes, formatDuration } from '../units.ts';

/** `  210.4 MiB/s  ETA 0:07`, as far as it is known. */
export function paceText(pace: Pace): string {
  const rate = pace.rate();
  const remaining = pace.remaining();
  const speed = rate > 0 ? `  ${formatBytes(rate, 1)}/s` : '';
  return remaining === undefined ? speed : `${speed}  ETA ${formatDuration(remaining)}`;
}
