import { RespaldoError } from '../../errors.ts';

/** What a machine lacks, in a server's words, which are English in a drill; and what to do about it. */
export interface Lack {
  readonly words: RegExp;
  readonly hint: string;
}

/**
 * What speaks against a snapshot: `not-proven`. Where the server's words tell of the machine instead: `target-refused`,
 * which changes no mark.
 */
export function refutationBy(lacks: readonly Lack[], message: string, cause: unknown): RespaldoError {
  const lack = lacks.find(({ words }) => words.test(message));
  if (lack !== undefined) return new RespaldoError('target-refused', message, { hint: lack.hint, cause });
  return new RespaldoError('not-proven', message, {
    hint: 'Prove another snapshot, take a new one, and run `respaldo check --read-data` to see whether the repository is sound.',
    cause,
  });
}
