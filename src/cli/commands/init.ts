import { Option, type Command } from 'commander';
import { initRepositoryAt } from '../../compose.ts';
import { describe } from '../help.ts';
import { identity } from '../identity.ts';
import type { Invocation } from '../invocation.ts';
import { quoted } from '../printable.ts';
import { askNewPassword } from '../prompt.ts';
import { accessTo, surroundings } from '../session.ts';

interface Options {
  readonly repositoryVersion: '1' | '2';
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about: 'Nobody can open a repository without its password: there is no way round it. Keep a copy elsewhere.',
    examples: [
      ['respaldo init --repo /srv/backup', 'asks for a password'],
      ['respaldo init --repo /srv/backup --password-file ~/.respaldo-password', 'in scripts'],
    ],
    exits: [130],
  })
    .addOption(
      new Option('--repository-version <n>', 'version of the format; 1 knows no compression')
        .choices(['1', '2'])
        .default('2'),
    )
    .action((options: Options) => init(invocation, options));
}

async function init(invocation: Invocation, { repositoryVersion }: Options): Promise<void> {
  const { output, signal } = invocation;
  const around = await surroundings(invocation);
  const access = await accessTo(invocation, around, (question) => askNewPassword(`new ${question}`, signal));
  const repository = await initRepositoryAt(
    access,
    { ...identity(), version: repositoryVersion === '1' ? 1 : 2, workingDirectory: around.workingDirectory },
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
