import { recruitArchivers } from './archiver/recruit.ts';
import type { Soon } from './repository.ts';
import { recruitRestorers } from './restorer/recruit.ts';
import type { Recruits } from './workers/recruits.ts';

const waiting = new Map<Soon, Recruits>();

/**
 * Starts threads for a repository that is going to be opened, while its address and password are still being looked for.
 * The first that is opened for it gets them; they keep no process from ending.
 */
export function headStart(soon: Soon): void {
  if (!waiting.has(soon)) waiting.set(soon, recruitsFor(soon));
}

/** Ends those that nobody has taken: no repository is going to be opened. */
export async function endHeadStart(soon: Soon): Promise<void> {
  const recruits = waiting.get(soon);
  waiting.delete(soon);
  await recruits?.close();
}

/** Threads that have been started for it, or are now. */
export function takeRecruits(soon: Soon): Recruits {
  const recruits = waiting.get(soon) ?? recruitsFor(soon);
  waiting.delete(soon);
  return recruits;
}

function recruitsFor(soon: Soon): Recruits {
  switch (soon) {
    case 'save':
      return recruitArchivers();
    case 'restore':
      return recruitRestorers();
  }
}
