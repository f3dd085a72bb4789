import { RespaldoError } from '../../../errors.ts';

/** What a machine lacks says nothing of a snapshot. */
const LACKS: readonly { readonly words: RegExp; readonly hint: string }[] = [
  {
    words: /No space left on device|is full/,
    hint: 'Free some, or drill on another disk: --folder /srv/drills',
  },
  {
    words: /Cannot allocate memory|out of memory/i,
    hint: 'This machine has no memory to spare for a server: try again later, or elsewhere.',
  },
];

/**
 * What speaks against a snapshot: `not-proven`. Where the server's words tell of the machine instead: `target-refused`,
 * which changes no mark.
 */
export function refutation(message: string, cause: unknown): RespaldoError {
  const lack = LACKS.find(({ words }) => words.test(message));
  if (lack !== undefined) return new RespaldoError('target-refused', message, { hint: lack.hint, cause });
  return new RespaldoError('not-proven', message, {
    hint: 'Prove another snapshot, take a new one, and run `respaldo check --read-data` to see whether the repository is sound.',
    cause,
  });
}
