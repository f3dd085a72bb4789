import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the young generation of the main thread's heap as small as it is now. A thread that hands much work through
 * lets it grow to over 100 MB of garbage otherwise, for no gain in time. (Workers have limits of their own.)
 */
export function keepMainHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
