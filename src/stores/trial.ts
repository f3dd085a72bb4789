/** What trials of several kinds of stores say alike. */
import type { Observation } from '../domain/observation.ts';

/** When something was written, by two clocks. */
export interface Times {
  /** As the store dates it. */
  readonly written: Date;
  /** As this machine does, just afterwards. */
  readonly now: Date;
}

/** From here on people are misled, although locks still work. Milliseconds. */
const NOTABLE = 60_000;
const GIB = 1024 ** 3;

/** The store's clock beside this machine's. Snapshots and locks are dated by this machine. */
export function observeClock({ written, now }: Times): Observation {
  const ahead = written.getTime() - now.getTime();
  const seconds = Math.round(Math.abs(ahead) / 1000);
  if (seconds < 2) return { trait: 'clock', verdict: 'good', found: 'goes with the one here' };
  const found = `${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} the one here`;
  if (Math.abs(ahead) < NOTABLE) return { trait: 'clock', verdict: 'good', found };
  return {
    trait: 'clock',
    verdict: 'note',
    found,
    advice: 'Set both clocks, by NTP if possible: snapshots and locks carry the time of the machine that makes them.',
  };
}

/** @param free bytes that may be written, out of `size`. */
export function observeSpace(free: number, size: number): Observation {
  const found = `${(free / GIB).toFixed(1)} GiB free of ${(size / GIB).toFixed(1)} GiB`;
  if (free > size / 20) return { trait: 'space', verdict: 'good', found };
  return { trait: 'space', verdict: 'note', found, advice: 'Make room before the next backup needs it.' };
}
