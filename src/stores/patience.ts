import { RespaldoError, throwIfAborted } from '../errors.ts';
import type { Pause } from './pause.ts';
import { pause as realPause } from './pause.ts';

/** How long to be patient. Milliseconds. */
export interface Patience {
  /** Including the first. */
  readonly attempts: number;
  /** Doubles with each attempt … */
  readonly firstDelay: number;
  /** … up to this. */
  readonly longestDelay: number;
}

/** Half a minute: as long as a server takes to come back, or a line. */
export const NETWORK_PATIENCE: Patience = { attempts: 7, firstDelay: 500, longestDelay: 10_000 };

export interface RetryOptions {
  /** Told of each failure that is going to be tried again. */
  readonly onRetry?: (error: RespaldoError, delay: number) => void;
  readonly pause?: Pause;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/** Runs `work` until it succeeds, fails for good, or patience is at its end. */
export async function persist<T>(
  work: () => Promise<T>,
  patience: Patience,
  options: RetryOptions,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      await waitOrThrow(error, attempt, patience, options, signal);
    }
  }
}

/** Half of each delay is random, so that many who failed together do not come back together. */
export async function waitOrThrow(
  error: unknown,
  attempt: number,
  { attempts, firstDelay, longestDelay }: Patience,
  { onRetry, pause = realPause, random = Math.random }: RetryOptions,
  signal: AbortSignal,
): Promise<void> {
  if (!(error instanceof RespaldoError) || !error.retry || attempt >= attempts) throw error;
  throwIfAborted(signal);
  const delay = Math.min(longestDelay, firstDelay * 2 ** (attempt - 1)) * (0.5 + random() / 2);
  onRetry?.(error, delay);
  await pause(delay, signal);
}
