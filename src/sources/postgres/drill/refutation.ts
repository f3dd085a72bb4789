import { RespaldoError, throwIfAborted } from '../../../errors.ts';
import { refutationBy, type Lack } from '../../server/refutation.ts';

/** What a machine lacks says nothing of a snapshot. In the server's words, which are English in a drill. */
const LACKS: readonly Lack[] = [
  { words: /No space left on device/, hint: 'Free some, or drill on another disk: --folder /srv/drills' },
  {
    words: /Cannot allocate memory|could not (?:create|map)[^\n]* shared memory|could not create semaphores/,
    hint: 'This machine has no memory to spare for a server: try again later, or elsewhere.',
  },
  {
    words: /locale (?:name|is incompatible)|could not (?:load|open|create) (?:locale|collator|collation)/i,
    hint: 'Install the locale on this machine (Debian: locales-all), or drill in a container of the original’s image: --image',
  },
];

/** What speaks against a snapshot, or tells of the machine: see {@link refutationBy}. */
export function refutation(message: string, cause: unknown): RespaldoError {
  return refutationBy(LACKS, message, cause);
}

/** What a server raises that was made of the snapshot, or its silence. */
const RAISED = ['source-lost', 'source-missing', 'source-refused', 'source-damaged'] as const;

/** Does what a sound server lets be done: what it raises speaks against the snapshot. */
export async function refuting<T>(
  server: { lastWords(): Promise<string> },
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throwIfAborted(signal);
    if (!(error instanceof RespaldoError) || !RAISED.some((code) => code === error.code)) throw error;
    throw refutation(`${error.message}\n${await server.lastWords()}`, error);
  }
}
