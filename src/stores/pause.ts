import { setTimeout } from 'node:timers/promises';

import { throwIfAborted } from '../errors.ts';

/** Waits so many milliseconds, or throws as soon as the signal is aborted. */
export type Pause = (milliseconds: number, signal: AbortSignal) => Promise<void>;

export const pause: Pause = async (milliseconds, signal) => {
  throwIfAborted(signal);
  try {
    await setTimeout(milliseconds, undefined, { signal });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
};
