import type { Command } from 'commander';
import type { Repository } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { withRepository } from '../session.ts';

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'Without a name it lists the migrations that apply. The structure of the repository is checked first, and a copy ' +
      'of its config kept aside until all is well. There is no way back: restic before 0.14 cannot read version 2. ' +
      'What was stored before becomes compressed by prune --repack-uncompressed.',
    examples: [
      ['respaldo migrate', 'what applies?'],
      ['respaldo migrate upgrade_repo_v2', 'to the version that compresses'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('[name]', 'the migration to make')
    .action((name: string | undefined) =>
      withRepository(invocation, (repository) =>
        name === undefined ? list(repository, invocation) : apply(repository, name, invocation),
      ),
    );
}

function list(repository: Repository, { output }: Invocation): Promise<void> {
  const found = repository.migrations();
  output.json({ message_type: 'migrations', migrations: found });
  for (const { name, summary } of found) output.result(`${name}  ${summary}`);
  if (found.length === 0) output.note('no migration applies');
  return Promise.resolve();
}

async function apply(repository: Repository, name: string, { output, signal }: Invocation): Promise<void> {
  const { migrate } = await import('../../operations/migrate.ts');
  output.note('checking the structure');
  await migrate(name, { repository }, signal);
  output.json({ message_type: 'migrated', name });
  output.note(output.style('green', `made the migration ${name}`));
}
