import { errnoOf, RespaldoError } from '../../errors.ts';
import { showPath } from '../filesystem/path.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT']);
/** What will not go better with the next entry. */
const FATAL = new Set([...FULL, 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENODEV', 'ESTALE']);

/** Whether a system error while writing ends the restore, rather than costing one entry. */
export function isFatal(errno: string): boolean {
  return FATAL.has(errno);
}

/** The target's file system refused: as one of our errors, or unchanged if it is no system error. */
export function targetError(doing: string, path: string, error: unknown): unknown {
  const errno = error instanceof RespaldoError ? undefined : errnoOf(error);
  if (errno === undefined) return error;
  const message = `cannot ${doing} ${showPath(path)}: ${reasonOf(error)}`;
  if (FULL.has(errno)) {
    return new RespaldoError('target-full', message, {
      hint: 'Make room there, then run the same restore again: it goes on where it stopped.',
      cause: error,
    });
  }
  return new RespaldoError('target-refused', message, {
    hint: 'Check owner, permissions and mount options of the target; the same restore, run again, goes on where it stopped.',
    cause: error,
  });
}

/** `no space left on device (ENOSPC)`: without the path, which the message has already. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const match = /^(E[A-Z0-9]+): ([^,]*)/.exec(error.message);
  return match === null ? error.message : `${match[2] ?? ''} (${match[1] ?? ''})`;
}
