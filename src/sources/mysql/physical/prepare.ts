import { RespaldoError, throwIfAborted, type ErrorCode } from '../../../errors.ts';
import type { Command, Runtime } from '../../../runtimes/runtime.ts';
import { serverVersion } from '../product.ts';
import { explained, type BackupProgram } from './backup-program.ts';
import type { Owner } from './settle.ts';

/** What it said is told from its end. */
const LONGEST_SAID = 8000;

/** Where `mariadb-backup --prepare` runs, and as whom. */
export interface Workshop {
  readonly runtime: Runtime;
  readonly program: BackupProgram;
  readonly command: (argv: readonly [string, ...string[]]) => Pick<Command, 'argv' | 'user'>;
  /** Who the files are given to first, as it is somebody else who works on them. */
  readonly user?: Owner;
  readonly signal: AbortSignal;
}

/** As `said` by the server whose files they are. @throws RespaldoError `tool-missing` for a program of another series. */
export function requireSameSeries(
  { name, version }: Pick<BackupProgram, 'name' | 'version'>,
  said: string,
  place: string,
): void {
  const { numbers } = serverVersion(said, '');
  if (version.numbers[0] === numbers[0] && version.numbers[1] === numbers[1]) return;
  const series = `${String(numbers[0])}.${String(numbers[1])}`;
  throw new RespaldoError(
    'tool-missing',
    `${name} ${version.numbers.join('.')} on ${place} cannot make files of MariaDB ${said} usable`,
    { hint: `It has to be of MariaDB ${series}. The files as they are: --raw` },
  );
}

/**
 * Makes files that were copied while they were written to one consistent state.
 * @param data holds everything that was put together until now
 * @param increment what was changed since, which is put into it
 * @throws RespaldoError `source-damaged`
 */
export async function prepare(data: string, increment: string | undefined, shop: Workshop): Promise<void> {
  const { runtime, program, command, signal } = shop;
  const parts = [`--target-dir=${data}`, ...(increment === undefined ? [] : [`--incremental-dir=${increment}`])];
  // Page size and such, as they were on the server; nothing of this machine's.
  const own = `--defaults-file=${data}/backup-my.cnf`;
  // What it says comes to both outputs; the last line has to be that it is done.
  const argv = ['sh', '-c', '"$@" 2>&1', 'respaldo', program.name, own, '--prepare', ...parts] as const;
  let said = '';
  try {
    for await (const piece of runtime.run({ ...command(argv), cwd: data, env: { LC_ALL: 'C' } }, signal))
      said = `${said}${Buffer.from(piece).toString('utf8')}`.slice(-LONGEST_SAID);
  } catch (error) {
    throwIfAborted(signal);
    const words = error instanceof RespaldoError ? new RespaldoError(error.code, `${error.message}\n${said}`) : error;
    throw unusable(explained(words, program.name));
  }
  if (!said.trimEnd().endsWith('completed OK!')) throw unusable(new Error(said.trimEnd().split('\n').at(-1)));
}

/** What a machine lacks says nothing of the files. */
const AS_THEY_ARE: readonly ErrorCode[] = ['tool-missing', 'target-full', 'cancelled'];

function unusable(cause: unknown): RespaldoError {
  const why = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof RespaldoError && AS_THEY_ARE.includes(cause.code)) return cause;
  return new RespaldoError('source-damaged', `the copied files cannot be made usable: ${why}`, {
    hint: 'Is there room, and memory? Restore another snapshot, and run `respaldo check --read-data`.',
    cause,
  });
}
