import { Option, type Command } from 'commander';
import { initRepositoryAt } from '../../compose.ts';
import { RespaldoError } from '../../errors.ts';
import { addFromOptions, type FromOptions, withSource } from '../from-repository.ts';
import { describe } from '../help.ts';
import { identity } from '../identity.ts';
import type { Invocation } from '../invocation.ts';
import { quoted } from '../printable.ts';
import { askNewPassword } from '../prompt.ts';
import { accessTo, surroundings } from '../session.ts';

interface Options extends FromOptions {
  readonly copyChunkerParams?: boolean;
  readonly repositoryVersion: '1' | '2';
}

export function define(command: Command, invocation: Invocation): void {
  describe(addFromOptions(command), {
    about: 'Nobody can open a repository without its password: there is no way round it. Keep a copy elsewhere.',
    examples: [
      ['respaldo init --repo /srv/backup', 'asks for a password'],
      ['respaldo init --repo /srv/backup --password-file ~/.respaldo-password', 'in scripts'],
      ['respaldo init --repo /srv/copy --from-repo /srv/backup --copy-chunker-params', 'for copies to share space'],
    ],
    exits: [130],
  })
    .addOption(
      new Option('--repository-version <n>', 'version of the format; 1 knows no compression')
        .choices(['1', '2'])
        .default('2'),
    )
    .option('--copy-chunker-params', 'cut files where the repository of --from-repo does')
    .action((options: Options) => init(invocation, options));
}

async function init(invocation: Invocation, options: Options): Promise<void> {
  const { output, signal } = invocation;
  const polynomial = await polynomialOf(invocation, options);
  const around = await surroundings(invocation);
  const access = await accessTo(invocation, around, (question) => askNewPassword(`new ${question}`, signal));
  const repository = await initRepositoryAt(
    access,
    {
      ...identity(),
      version: options.repositoryVersion === '1' ? 1 : 2,
      workingDirectory: around.workingDirectory,
      ...(polynomial !== undefined && { polynomial }),
    },
    signal,
  );
  try {
    output.json({ message_type: 'initialized', id: repository.id, repository: repository.location });
    output.note(`made repository ${repository.id.slice(0, 10)} at ${quoted(repository.location)}`);
    output.note('Do not lose the password: without it nobody can read what is stored here.');
  } finally {
    await repository.close();
  }
}

/** Where the other repository cuts files, if that was asked for. */
async function polynomialOf(invocation: Invocation, options: Options): Promise<bigint | undefined> {
  const { copyChunkerParams = false, fromRepo, fromRepositoryFile } = options;
  if (copyChunkerParams) return withSource(invocation, options, async ({ polynomial }) => polynomial);
  if (fromRepo === undefined && fromRepositoryFile === undefined) return undefined;
  throw new RespaldoError('usage', '--from-repo is of no use without --copy-chunker-params', {
    hint: 'Give both, or neither. Snapshots are copied by `respaldo copy`.',
  });
}
