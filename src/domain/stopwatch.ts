import type { DrillPhase, DrillTimes } from './drill.ts';

/** Where a stopwatch takes the time from, and whom it tells. */
interface Timed {
  /** `monotonic()`: milliseconds. */
  readonly clock: { monotonic(): number };
  /** Told when a phase begins. */
  readonly onPhase: (phase: DrillPhase) => void;
}

/** Measures the phases of a drill. */
export class Stopwatch {
  readonly #timed: Timed;
  readonly #times: Partial<Record<DrillPhase, number>> = {};

  constructor(timed: Timed) {
    this.#timed = timed;
  }

  get times(): DrillTimes {
    return this.#times;
  }

  async measure<T>(phase: DrillPhase, work: () => Promise<T>): Promise<T> {
    const { clock, onPhase } = this.#timed;
    onPhase(phase);
    const start = clock.monotonic();
    const result = await work();
    this.#times[phase] = (clock.monotonic() - start) / 1000;
    return result;
  }
}
