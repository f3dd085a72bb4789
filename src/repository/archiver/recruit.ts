import { Recruits } from '../workers/recruits.ts';
import { usefulWorkers, workerScript } from '../workers/thread.ts';

export const ARCHIVER_SCRIPT = workerScript(import.meta.url, 'archiver-worker');

/** Starts the threads that a save will want. */
export function recruitArchivers(): Recruits {
  return new Recruits(ARCHIVER_SCRIPT, usefulWorkers());
}
