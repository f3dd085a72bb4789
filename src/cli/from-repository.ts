import type { Command } from 'commander';
import { isError, RespaldoError } from '../errors.ts';
import type { Repository } from '../repository/repository.ts';
import type { Invocation } from './invocation.ts';
import { accessTo, openAt, surroundings } from './session.ts';

/** The options that name a second repository, as commander hands them over. */
export interface FromOptions {
  readonly fromRepo?: string;
  readonly fromRepositoryFile?: string;
  readonly fromPasswordFile?: string;
  readonly fromPasswordCommand?: string;
}

export function addFromOptions(command: Command): Command {
  return command
    .option('--from-repo <location>', 'repository to read from: a folder, sftp:…, s3:…, or a name in respaldo.yaml')
    .option('--from-repository-file <file>', 'file with its location')
    .option('--from-password-file <file>', 'file with its password')
    .option('--from-password-command <command>', 'command that prints it');
}

/**
 * Opens the repository to read from, for as long as `work` takes. Nothing of it comes from the environment, which
 * names the other one.
 */
export async function withSource<T>(
  invocation: Invocation,
  { fromRepo, fromRepositoryFile, fromPasswordFile, fromPasswordCommand }: FromOptions,
  work: (source: Repository) => Promise<T>,
): Promise<T> {
  if (fromRepo === undefined && fromRepositoryFile === undefined)
    throw new RespaldoError('usage', 'no repository to read from is named', { hint: 'Name it by --from-repo.' });
  // Everything but what names the other repository is said for both.
  const { repo: _, repositoryFile: __, passwordFile: ___, passwordCommand: ____, ...shared } = invocation.globals;
  const globals = {
    ...shared,
    ...(fromRepo !== undefined && { repo: fromRepo }),
    ...(fromRepositoryFile !== undefined && { repositoryFile: fromRepositoryFile }),
    ...(fromPasswordFile !== undefined && { passwordFile: fromPasswordFile }),
    ...(fromPasswordCommand !== undefined && { passwordCommand: fromPasswordCommand }),
  };
  const other = { ...invocation, globals };
  const around = { ...(await surroundings(other)), env: {} };
  const repository = await openAt(await accessTo(other, around).catch(explain), other, around);
  try {
    return await work(repository);
  } finally {
    await repository.close();
  }
}

function explain(error: unknown): never {
  if (!isError(error, 'config')) throw error;
  throw new RespaldoError('config', error.message, {
    hint: 'Of the repository to read from: give --from-password-file FILE or --from-password-command COMMAND.',
    cause: error,
  });
}
