/** How the restore of a database failed, and what is left of it. */
import type { Finding } from '../../domain/finding.ts';
import { RespaldoError } from '../../errors.ts';

const TOLD = 5;

/** @param isGone whether the database that was there is lost by it. */
export function explainFailure(
  error: unknown,
  target: string,
  isGone: boolean,
  isFullDisk: (error: RespaldoError) => boolean,
): unknown {
  if (!(error instanceof RespaldoError)) return error;
  const isFull = isFullDisk(error);
  if (!isFull && !isGone && error.hint !== undefined) return error;
  const state = isGone
    ? `"${target}" was dropped before, as --in-place says, and is gone: restore it again.`
    : 'Nothing was put in place.';
  const room = isFull && !isGone ? ' --in-place takes less room: it drops the old database first.' : '';
  const hint = [error.hint, `${state}${room}`].filter((text) => text !== undefined).join(' ');
  const details = { hint, context: error.context, cause: error };
  return new RespaldoError(isFull ? 'target-full' : error.code, error.message, details);
}

/** @param differences sentences. @throws RespaldoError `incomplete` where there are any */
export function requireSame(target: string, differences: readonly string[]): void {
  if (differences.length === 0) return;
  const more = differences.length > TOLD ? `; and ${String(differences.length - TOLD)} more` : '';
  const told = `${differences.slice(0, TOLD).join('; ')}${more}`;
  throw new RespaldoError('incomplete', `"${target}" came out different: ${told}`, {
    hint: 'It was not put in place. Please report this; the dump’s files can be restored by --target.',
  });
}

/** @param name of a half-made database. */
export function unfinishedLeft(name: string, error: unknown): Finding {
  return {
    severity: 'note',
    code: 'side-database-left',
    prominent: true,
    subject: name,
    message: `the unfinished database "${name}" could not be dropped: ${error instanceof Error ? error.message : String(error)}`,
  };
}
