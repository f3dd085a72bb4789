/**
 * What a trial of something found out: data, not an error.
 *
 * - `good`: as it should be.
 * - `note`: works, but should be known, or could be better.
 * - `bad`: not fit for what it is wanted for.
 */
export interface Observation {
  /** What was tried, in a few small words: `ranges`. Stable. */
  readonly trait: string;
  readonly verdict: 'good' | 'note' | 'bad';
  /** What was found: no sentence, one line. */
  readonly found: string;
  /** What to do or to set: a sentence. */
  readonly advice?: string;
}
