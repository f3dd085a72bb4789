import type { Snapshot } from './snapshot.ts';

/** What retention looks at. */
export type Judged = Pick<Snapshot, 'id' | 'time' | 'tags' | 'hostname' | 'paths'>;

/** What becomes of one snapshot, and why: what keeps it, or why nothing does. */
export interface Verdict<S> {
  readonly snapshot: S;
  readonly kept: boolean;
  /** Clauses for people, never none: `weekly 2 of 4`; `daily keeps 7 newer ones`. */
  readonly reasons: readonly string[];
}
