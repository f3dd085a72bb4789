import type { Clock } from '../clock.ts';

/** The rate is that of the last seconds, so that it follows what happens now. */
const WINDOW_MS = 10_000;
/** An estimate from less would jump about. */
const SETTLED_MS = 2_000;

/** How fast something goes, and how long it will still take. */
export class Pace {
  readonly #clock: Clock;
  readonly #startedAt: number;
  /** The first one is when there was something to observe: what came before was preparation. */
  #samples: { readonly at: number; readonly done: number }[] = [];
  #total = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  /** @param total 0: unknown */
  observe(done: number, total: number): void {
    const at = this.#clock.monotonic();
    this.#total = total;
    this.#samples.push({ at, done });
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? at) < at - WINDOW_MS) this.#samples.shift();
  }

  /** Milliseconds since the start. */
  elapsed(): number {
    return this.#clock.monotonic() - this.#startedAt;
  }

  /** Bytes per second; 0 where nothing is known yet. */
  rate(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at <= first.at) return 0;
    return Math.max(0, ((last.done - first.done) * 1000) / (last.at - first.at));
  }

  /** Milliseconds that are left at the present rate; undefined while that is a guess. */
  remaining(): number | undefined {
    const done = this.#samples.at(-1)?.done ?? 0;
    const rate = this.rate();
    if (rate === 0 || this.#total < done || this.#total === 0 || this.elapsed() < SETTLED_MS) return undefined;
    return ((this.#total - done) * 1000) / rate;
  }
}
