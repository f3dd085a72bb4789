import { createRequire } from 'node:module';
import type Koffi from 'koffi';

const CLOCK_THREAD_CPUTIME_ID = 3;

const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
const readClock = koffi.load(null).func('int clock_gettime(int clock, void *time)');
/** `struct timespec` of a 64-bit system. */
const time = new BigInt64Array(2);

/** Seconds of processor time that this thread has had: exact to the microsecond, unlike `process.threadCpuUsage()`. */
export function threadTime(): number {
  readClock(CLOCK_THREAD_CPUTIME_ID, time);
  const [seconds = 0n, nanoseconds = 0n] = time;
  return Number(seconds) + Number(nanoseconds) / 1e9;
}
