import { errnoOf, RespaldoError, type ErrorCode } from '../../errors.ts';
import { SqliteError } from './questions.ts';

interface Meaning {
  readonly error: ErrorCode;
  readonly what: string;
  readonly hint: string;
}

/** The primary code of an error is the lowest byte of an extended one. */
const PRIMARY = 0xff;

const BESIDE_IT =
  'SQLite may have to make files beside it (-wal, -shm): run the backup as its owner; on a disk that is read-only, copy all of them elsewhere.';

/** SQLite's result codes (https://sqlite.org/rescode.html), and what they mean for a backup. */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  5: { error: 'source-refused', what: 'is locked by somebody who writes', hint: 'Try again when that is done.' },
  8: { error: 'source-refused', what: 'cannot be opened', hint: BESIDE_IT },
  776: {
    error: 'source-refused',
    what: 'was left in the middle of a transaction',
    hint: 'Its writer was ended. Open it once by its application, or by sqlite3 file.db .schema: that takes back what was not finished. On a disk that is read-only, copy it elsewhere with its -journal or -wal.',
  },
  11: {
    error: 'source-damaged',
    what: 'is damaged',
    hint: 'Restore it, or save what can be read: sqlite3 file.db .recover',
  },
  13: { error: 'target-full', what: 'does not fit', hint: 'Name a folder with more room for copies by TMPDIR.' },
  14: { error: 'source-refused', what: 'cannot be opened', hint: BESIDE_IT },
  26: {
    error: 'source-refused',
    what: 'is no SQLite database, or an encrypted one',
    hint: 'An encrypted database is dumped by the tool that has its key: tool … | respaldo backup --stdin',
  },
};

const SYSTEM: Readonly<Record<string, Meaning>> = {
  ENOENT: {
    error: 'source-missing',
    what: 'does not exist',
    hint: 'Check the spelling: sqlite:./file.db starts from where you are, in respaldo.yaml from its folder.',
  },
  EACCES: { error: 'source-refused', what: 'may not be read', hint: 'Run the backup as its owner, or as root.' },
  ENOSPC: { error: 'target-full', what: 'does not fit', hint: 'Name a folder with more room for copies by TMPDIR.' },
};

/** What SQLite or the system raised about a database, as our error; anything else as it is. */
export function refusal(file: string, error: unknown): unknown {
  if (error instanceof RespaldoError || !(error instanceof Error)) return error;
  const code = error instanceof SqliteError ? error.errcode : undefined;
  const known = code === undefined ? SYSTEM[errnoOf(error) ?? ''] : (MEANINGS[code] ?? MEANINGS[code & PRIMARY]);
  if (known === undefined && code === undefined) return error;
  const { error: ours = 'source-refused', what = 'cannot be read', hint } = known ?? {};
  const said = code === undefined ? '' : `: ${error.message}`;
  return new RespaldoError(ours, `${file} ${what}${said}`, { ...(hint !== undefined && { hint }), cause: error });
}
