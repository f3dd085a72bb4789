/** The only place that asks for the time, so that tests and plans can set it. */
export interface Clock {
  now(): Date;
  /** Milliseconds from an arbitrary start, never going back: for durations. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
};
