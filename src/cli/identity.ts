import { hostname, userInfo } from 'node:os';
import { errnoOf } from '../errors.ts';

/** Who takes a snapshot or makes a key, and where, as the records show it. */
export interface Identity {
  readonly hostname: string;
  readonly username: string;
}

export function identity(): Identity {
  return { hostname: hostname(), username: username() };
}

/** The host that backups record where the command line does not name one. */
export function backupHost(): string {
  return process.env.RESPALDO_HOST ?? process.env.RESTIC_HOST ?? hostname();
}

/** A user id without a name (a container's) stands for itself. */
function username(): string {
  try {
    return userInfo().username;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return String(process.getuid?.() ?? '');
  }
}
