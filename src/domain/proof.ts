import { isIncomplete, type Snapshot } from './snapshot.ts';

/** Every byte of it was read and equalled its hash. */
export const VERIFIED_TAG = 'verified';
/** It was really restored, and its content passed the checks. */
export const PROVEN_TAG = 'proven';

/**
 * How sure it is that a snapshot restores, each step surer than the one before:
 * - `captured`: something was stored, but not all that belongs in it;
 * - `stored`: all of it is in the repository, as the source's own end marker and the record say;
 * - `verified`: every byte was read back and equalled its hash;
 * - `proven`: it was restored, and the restored content passed its checks.
 */
export type Proof = 'captured' | 'stored' | 'verified' | 'proven';

/** What the snapshot's record says of its proof. One that lacks something is never more than `captured`. */
export function proofOf(snapshot: Pick<Snapshot, 'tags'>): Proof {
  if (isIncomplete(snapshot)) return 'captured';
  if (snapshot.tags?.includes(PROVEN_TAG)) return 'proven';
  return snapshot.tags?.includes(VERIFIED_TAG) ? 'verified' : 'stored';
}

/** The tags of a snapshot whose content is another one now: what was proven of the old one says nothing of it. */
export function withoutProof(tags: readonly string[]): readonly string[] {
  return tags.filter((tag) => tag !== PROVEN_TAG && tag !== VERIFIED_TAG);
}
