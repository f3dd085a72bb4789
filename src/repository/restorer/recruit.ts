import { Recruits } from '../workers/recruits.ts';
import { usefulWorkers, workerScript } from '../workers/thread.ts';

export const RESTORER_SCRIPT = workerScript(import.meta.url, 'restorer-worker');

/** Starts what a restore will want: its threads, and its modules on this one. */
export function recruitRestorers(): Recruits {
  // What fails now will fail again when it is asked for, and be told then.
  import('./restore.ts').catch(() => undefined);
  return new Recruits(RESTORER_SCRIPT, usefulWorkers());
}
