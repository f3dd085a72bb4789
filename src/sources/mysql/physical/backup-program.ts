import { isError, RespaldoError, throwIfAborted, type ErrorCode } from '../../../errors.ts';
import type { Runtime } from '../../../runtimes/runtime.ts';
import { connectionArguments } from '../connection-arguments.ts';
import type { Version } from '../product.ts';
import type { Toolbox } from '../toolbox.ts';
import { TRAILER } from './xbstream.ts';

const NAMES = ['mariadb-backup', 'mariabackup'];

/**
 * Runs the program that its arguments name. Its output passes; when it has ended well, the last lines of what it said
 * follow behind a mark. If it fails, they go where errors go, and the code is the program's.
 */
const RUN = `
exec 3>&1
said=$({ "$@" 2>&1 >&3 3>&-; echo "$?"; } | tail -n 40)
code=\${said##*
}
said=\${said%
*}
if [ "$code" != 0 ]; then printf '%s\\n' "$said" >&2; exit "\${code:-1}"; fi
printf '%s%s' '${TRAILER}' "$said"
`.trim();

/** What makes copies of the files of MariaDB servers, and makes such copies usable. */
export interface BackupProgram {
  readonly name: string;
  readonly version: Version;
  /** As it names itself. */
  readonly said: string;
}

/** @throws RespaldoError `tool-missing`. */
export async function findBackupProgram(runtime: Runtime, signal: AbortSignal): Promise<BackupProgram> {
  for (const name of NAMES) {
    const said = await versionOf(name, runtime, signal);
    const [, major, minor, patch] = /based on MariaDB server (\d+)\.(\d+)\.(\d+)/.exec(said ?? '') ?? [];
    if (said === undefined || major === undefined) continue;
    const version: Version = { product: 'mariadb', numbers: [Number(major), Number(minor), Number(patch)] };
    return { name, version, said };
  }
  throw new RespaldoError('tool-missing', `there is no mariadb-backup on ${runtime.place}`, {
    hint: 'Install it there in the version of the server (Debian: mariadb-backup). Without it: method=logical.',
  });
}

/**
 * The stream of a backup, and behind it, after {@link TRAILER}, what the program said last.
 * @param since only pages that have changed since there in the redo log; absent: everything
 */
export async function* streamBackup(
  tools: Toolbox,
  { name, version }: BackupProgram,
  since: string | undefined,
): AsyncGenerator<Uint8Array> {
  const { user, env } = tools.login;
  const where = connectionArguments(tools.address, user, version);
  const only = since === undefined ? [] : [`--incremental-lsn=${since}`];
  const argv = [name, ...where, '--backup', '--stream=xbstream', ...only];
  try {
    yield* tools.runtime.run({ argv: ['sh', '-c', RUN, 'respaldo', ...argv], env }, tools.signal);
  } catch (error) {
    throwIfAborted(tools.signal);
    throw explained(error, tools.server);
  }
}

/** @throws RespaldoError `source-lost` unless the program said, last of all, that it is done. */
export function requireCompleted(said: string | undefined): void {
  const last = (said ?? '').trimEnd().split('\n').at(-1) ?? '';
  if (/(?:^|\s)completed OK!$/.test(last)) return;
  throw new RespaldoError('source-lost', `mariadb-backup did not say that it is done, but: ${last}`, {
    hint: 'Nothing was stored as a snapshot. Run the backup again.',
  });
}

/** What its failures mean, by its own words. */
const MEANINGS: readonly { readonly words: RegExp; readonly code: ErrorCode; readonly hint: string }[] = [
  {
    words: /Was only able to copy log/,
    code: 'source-refused',
    hint: 'The server writes faster than its log could be read: raise its innodb_log_file_size, or take the backup when less is written.',
  },
  {
    words: /Access denied|missing required privilege/i,
    code: 'source-refused',
    hint: 'The account needs RELOAD, PROCESS and BINLOG MONITOR ON *.*',
  },
  {
    words: /Lost connection|gone away|Can't connect|Connection refused|\b(?:2013|2006)\b/,
    code: 'source-lost',
    hint: 'The server went away: see its log, then try again.',
  },
  {
    words: /No space left on device|errno: 28/i,
    code: 'target-full',
    hint: 'Free some space where it runs.',
  },
];
const SAYS_WHY = /error|fatal|denied|lost|fail|cannot|can't|mismatch|full|refus|proper|only able|increasing/i;
const NOISE = /my_thread_global_end/;
/** How many lines are told. */
const TOLD = 3;

/** A failure of the program, in its own words where they say something. */
export function explained(error: unknown, server: string): unknown {
  if (!(error instanceof RespaldoError) || error.code !== 'command-failed') return error;
  const [first = '', ...lines] = error.message
    .split('\n')
    // Privileges are told with the hashes of passwords.
    .filter((line) => !/IDENTIFIED/i.test(line))
    .map((line) => line.replace(/^(?:\[\d+\] )?(?:FATAL ERROR: )?[\d-]+\s+[\d:]+ (?:\d+ )?/, '').trim());
  const telling = lines.filter((line) => SAYS_WHY.test(line) && !NOISE.test(line));
  const words = (telling.length === 0 ? lines : telling).slice(-TOLD).join('; ');
  const meaning = MEANINGS.find((one) => one.words.test(words));
  return new RespaldoError(meaning?.code ?? 'command-failed', `${server}: ${words === '' ? first : words}`, {
    hint: meaning?.hint ?? error.hint ?? 'See also the server’s log.',
    context: error.context,
    cause: error,
  });
}

async function versionOf(name: string, runtime: Runtime, signal: AbortSignal): Promise<string | undefined> {
  try {
    // Older ones tell it where errors go.
    const argv = ['sh', '-c', 'command -v "$1" >/dev/null && "$1" --version 2>&1', 'respaldo', name] as const;
    const pieces = await Array.fromAsync(runtime.run({ argv, env: { LC_ALL: 'C' } }, signal));
    return Buffer.concat(pieces).toString('utf8').trim();
  } catch (error) {
    if (isError(error, 'tool-missing') || isError(error, 'command-failed')) return undefined;
    throw error;
  }
}
