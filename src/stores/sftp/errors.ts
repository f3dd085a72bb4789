import { RespaldoError, errnoOf } from '../../errors.ts';
import { FREE_SPACE } from '../free-space.ts';
import type { Login } from './login.ts';

/** The protocol's own numbers (draft-ietf-secsh-filexfer-02, section 7). */
const NO_SUCH_FILE = 2;
const PERMISSION_DENIED = 3;
const FAILURE = 4;

/** Whether nothing lies at the path that was asked for. */
export function isAbsence(error: unknown): boolean {
  return statusOf(error) === NO_SUCH_FILE;
}

/** The protocol's word for everything else: a full disk, a folder that is there already. */
export function isUnexplained(error: unknown): boolean {
  return statusOf(error) === FAILURE;
}

/** A failed operation as one of ours. */
export function sftpFailure(doing: string, what: string, error: unknown): unknown {
  if (error instanceof RespaldoError || !(error instanceof Error)) return error;
  const message = `cannot ${doing} ${what}: ${error.message}`;
  if (statusOf(error) === PERMISSION_DENIED) {
    return new RespaldoError('store-refused', message, {
      hint: "Check the folder's owner and permissions on the server.",
      cause: error,
    });
  }
  return new RespaldoError('store-broken', message, { cause: error });
}

/** Why nobody could log in. */
export function loginFailure(where: string, login: Login, error: unknown): unknown {
  const refusal = login.refusal();
  if (refusal !== undefined) return refusal;
  if (error instanceof RespaldoError || !(error instanceof Error)) return error;
  const level = 'level' in error ? error.level : undefined;
  if (level === 'client-authentication') {
    const offered = login.offered.length === 0 ? 'there was no key to offer' : `it was offered ${join(login.offered)}`;
    return new RespaldoError('store-refused', `the server of ${where} lets nobody in: ${offered}`, {
      hint: 'Make a key and take it there: ssh-keygen -t ed25519 && ssh-copy-id. A key with a passphrase is used through an ssh-agent.',
      cause: error,
    });
  }
  if (/subsystem|no matching/i.test(error.message)) {
    return new RespaldoError('store-refused', `the server of ${where} cannot be used: ${error.message}`, {
      hint: 'It must be an OpenSSH 6.5 or newer, or one like it, with its SFTP subsystem switched on.',
      cause: error,
    });
  }
  return new RespaldoError('store-broken', `cannot connect to ${where}: ${error.message}`, {
    hint: 'Is the server up, and its name and port right?',
    cause: error,
  });
}

export function serverFull(what: string, cause: unknown): RespaldoError {
  return new RespaldoError('store-full', `cannot write ${what}: the server has no space left`, {
    hint: FREE_SPACE,
    cause,
  });
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || errnoOf(error) !== undefined) return undefined;
  return 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

function join(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
