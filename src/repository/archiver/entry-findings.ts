/** What may be wrong with an entry, as findings. */
import type { Finding } from '../../domain/finding.ts';
import { errnoOf, RespaldoError } from '../../errors.ts';
import { showPath } from '../filesystem/path.ts';

export function changedWhileRead(local: string): Finding {
  const subject = showPath(local);
  return { severity: 'note', code: 'file-changed', message: `${subject} changed while it was read, twice`, subject };
}

/** What the user named is not there, or may not be read: the snapshot is incomplete. */
export function missed(local: string, error: unknown): Finding {
  const finding = unreadable(local, error, 'file');
  if (finding.code !== 'file-vanished') return finding;
  const message = `cannot back up ${finding.subject ?? ''}: it does not exist`;
  return { ...finding, severity: 'incomplete', code: 'target-unreadable', message };
}

/** Something between listing and reading went away (a note), or may not be read (then the snapshot is incomplete). */
export function unreadable(local: string, error: unknown, what: 'file' | 'folder'): Finding {
  const errno = errnoOf(error);
  // Only a fault of the entry itself may become a finding; anything else ends the run.
  if (errno === undefined && !(error instanceof RespaldoError && error.code === 'source-lost')) throw error;
  if (error instanceof RespaldoError && error.code !== 'source-lost') throw error;
  const subject = showPath(local);
  if (errno === 'ENOENT' || error instanceof RespaldoError)
    return { severity: 'note', code: 'file-vanished', message: `${subject} vanished before it was read`, subject };
  const reason = error instanceof Error ? error.message : String(error);
  return {
    severity: 'incomplete',
    code: 'file-unreadable',
    message: `cannot read the ${what} ${subject}: ${reason}`,
    subject,
  };
}
