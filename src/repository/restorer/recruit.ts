import { Recruits } from '../workers/recruits.ts';
import { usefulWorkers, workerScript } from '../workers/thread.ts';

export const RESTORER_SCRIPT = workerScript(import.meta.url, 'restorer-worker');

/** Starts the threads that a restore will want. */
export function recruitRestorers(): Recruits {
  return new Recruits(RESTORER_SCRIPT, usefulWorkers());
}
