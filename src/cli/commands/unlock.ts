import type { Command } from 'commander';
import { describe } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { withRepository } from '../session.ts';
import { count } from '../units.ts';

interface Options {
  readonly removeAll?: boolean;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'A lock is dead when it is older than 30 minutes, or its process on this machine has ended. Use --remove-all ' +
      'only when nothing works with the repository: a prune beside a running backup would lose data.',
    examples: [
      ['respaldo unlock', 'after a crash'],
      ['respaldo unlock --remove-all', 'when the machine that held the lock is gone'],
    ],
    exits: [10, 12, 130],
  })
    .option('--remove-all', 'remove every lock, alive or not')
    .action(({ removeAll = false }: Options) =>
      withRepository(invocation, async (repository) => {
        const removed = await repository.unlock(removeAll, invocation.signal);
        invocation.output.note(removed === 0 ? 'there was no lock to remove' : `removed ${count(removed, 'lock')}`);
      }),
    );
}
