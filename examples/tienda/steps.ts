import { systemClock } from '../../src/clock.ts';
import type { Output } from '../../src/cli/output.ts';

/** Tells what is being done, one line a step, and measures how long each takes. */
export class Steps {
  readonly output: Output;
  readonly #signal: AbortSignal;
  #number = 0;

  constructor(output: Output, signal: AbortSignal) {
    this.output = output;
    this.#signal = signal;
  }

  /**
   * @param outcome what to say of the result, beside the time.
   * @returns the result and its milliseconds.
   */
  async run<T>(
    title: string,
    work: () => Promise<T>,
    outcome: (value: T) => string = () => '',
  ): Promise<{ value: T; ms: number }> {
    this.#signal.throwIfAborted();
    this.#number += 1;
    const head = `${String(this.#number).padStart(2)}. ${title}`;
    if (this.output.interactive) this.output.status(`${head} …`);
    const startedAt = systemClock.monotonic();
    const value = await work();
    const ms = systemClock.monotonic() - startedAt;
    this.output.status('');
    this.output.note(`${head.padEnd(46)} ${formatSeconds(ms).padStart(7)}  ${outcome(value)}`.trimEnd());
    return { value, ms };
  }
}

export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
