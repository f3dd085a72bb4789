import { Recruits } from '../workers/recruits.ts';
import { usefulWorkers, workerScript } from '../workers/thread.ts';

export const ARCHIVER_SCRIPT = workerScript(import.meta.url, 'archiver-worker');

/** Starts what a save will want: its threads, and its modules on this one. */
export function recruitArchivers(): Recruits {
  // What fails now will fail again when it is asked for, and be told then.
  import('./archiver.ts').catch(() => undefined);
  return new Recruits(ARCHIVER_SCRIPT, usefulWorkers());
}
