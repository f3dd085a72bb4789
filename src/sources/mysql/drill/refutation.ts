import type { RespaldoError } from '../../../errors.ts';
import { refutationBy, type Lack } from '../../server/refutation.ts';

/** What a machine lacks says nothing of a snapshot. */
const LACKS: readonly Lack[] = [
  {
    words: /No space left on device|is full/,
    hint: 'Free some, or drill on another disk: --folder /srv/drills',
  },
  {
    words: /Cannot allocate memory|out of memory/i,
    hint: 'This machine has no memory to spare for a server: try again later, or elsewhere.',
  },
];

/** What speaks against a snapshot, or tells of the machine: see {@link refutationBy}. */
export function refutation(message: string, cause: unknown): RespaldoError {
  return refutationBy(LACKS, message, cause);
}
