import type { DrillPhase, DrillTimes } from '../../../domain/drill.ts';
import type { DrillRequest } from '../../source.ts';

/** Measures the phases of a drill. */
export class Stopwatch {
  readonly #request: Pick<DrillRequest, 'clock' | 'onPhase'>;
  readonly #times: Partial<Record<DrillPhase, number>> = {};

  constructor(request: Pick<DrillRequest, 'clock' | 'onPhase'>) {
    this.#request = request;
  }

  get times(): DrillTimes {
    return this.#times;
  }

  async measure<T>(phase: DrillPhase, work: () => Promise<T>): Promise<T> {
    const { clock, onPhase } = this.#request;
    onPhase(phase);
    const start = clock.monotonic();
    const result = await work();
    this.#times[phase] = (clock.monotonic() - start) / 1000;
    return result;
  }
}
