import { RespaldoError, errnoOf } from '../../errors.ts';
import { FREE_SPACE } from '../free-space.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT']);
const REFUSED = new Set(['EACCES', 'EPERM', 'EROFS']);

/** A file system's error as one of ours. What has no errno passes unchanged. */
export function localFailure(doing: string, path: string, error: unknown): unknown {
  const errno = error instanceof RespaldoError ? undefined : errnoOf(error);
  if (errno === undefined) return error;
  const message = `cannot ${doing} ${path}: ${describe(error, errno)}`;
  if (FULL.has(errno)) {
    return new RespaldoError('store-full', message, {
      hint: FREE_SPACE,
      cause: error,
    });
  }
  if (REFUSED.has(errno)) {
    return new RespaldoError('store-refused', message, {
      hint: "Check the folder's owner and permissions, and that the file system is not mounted read-only.",
      cause: error,
    });
  }
  return new RespaldoError('store-broken', message, { cause: error });
}

/** Whether nothing lies at the path that was asked for. */
export function isAbsence(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}

export function noSuchObject(path: string): RespaldoError {
  return new RespaldoError('store-missing', `there is no ${path}`);
}

export function noSuchStore(folder: string): RespaldoError {
  return new RespaldoError('store-missing', `there is no folder ${folder}`, {
    hint: 'Is its disk mounted, and the path right? `respaldo init` makes a new repository.',
  });
}

export function tooShort(path: string, size: number, offset: number, length: number): RespaldoError {
  return new RespaldoError(
    'store-broken',
    `${path} is too short: it has ${size} bytes, ${length} were asked for from ${offset}`,
    { hint: '`respaldo check` tells what else is damaged.' },
  );
}

/** `no space left on device (ENOSPC)`: without the path, which the message has already. */
function describe(error: unknown, errno: string): string {
  const [, text] = error instanceof Error ? (/^E[A-Z0-9]+: ([^,]*)/.exec(error.message) ?? []) : [];
  return text === undefined ? errno : `${text} (${errno})`;
}
