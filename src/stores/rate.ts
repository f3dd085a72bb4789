import type { Clock } from '../clock.ts';
import { Gate } from './gate.ts';
import type { Pause } from './pause.ts';

/**
 * A budget of bytes per second. Whoever comes waits until all bytes before are paid for, in order of arrival, then goes
 * at once: so the mean is kept, whatever the size of the pieces. Time in which nobody came is not saved up.
 */
export class Rate {
  readonly #bytesPerSecond: number;
  readonly #clock: Clock;
  readonly #pause: Pause;
  readonly #queue = new Gate(1);
  /** When everything so far is paid for, on the clock's monotonic scale. */
  #paidAt = -Infinity;

  constructor(bytesPerSecond: number, clock: Clock, pause: Pause) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
    this.#pause = pause;
  }

  /** Waits for one's turn, then spends. */
  spend(bytes: number, signal: AbortSignal): Promise<void> {
    return this.#queue.pass(signal, async () => {
      const wait = this.#paidAt - this.#clock.monotonic();
      if (wait > 0) await this.#pause(wait, signal);
      this.charge(bytes);
    });
  }

  /** Spends what is known only afterwards: those who come next wait for it. */
  charge(bytes: number): void {
    this.#paidAt = Math.max(this.#paidAt, this.#clock.monotonic()) + (bytes / this.#bytesPerSecond) * 1000;
  }
}
