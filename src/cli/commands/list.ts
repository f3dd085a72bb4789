import { Argument, type Command } from 'commander';
import type { Repository, StoredType } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import type { Output } from '../output.ts';
import { withRepository } from '../session.ts';

/** By the words of restic. */
const TYPES = {
  blobs: 'blob',
  packs: 'pack',
  index: 'index',
  snapshots: 'snapshot',
  keys: 'key',
  locks: 'lock',
} as const satisfies Record<string, StoredType | 'blob'>;

export function define(command: Command, invocation: Invocation): void {
  const { output, signal } = invocation;
  describe(command, {
    about: 'For looking closely: one id a line, blobs with their type. respaldo cat shows what an id stands for.',
    examples: [
      ['respaldo list packs', 'every pack in the store'],
      ['respaldo list blobs | sort', 'what the indexes know'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .addArgument(new Argument('<type>', 'what to list').choices(Object.keys(TYPES)))
    .action((type: keyof typeof TYPES) =>
      withRepository(invocation, async (repository) => {
        for await (const line of lines(repository, TYPES[type], signal)) {
          print(line, output);
          if (output.closed) return;
        }
      }),
    );
}

async function* lines(
  repository: Repository,
  type: StoredType | 'blob',
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  if (type === 'blob') for await (const blob of repository.blobs(signal)) yield `${blob.type} ${blob.id}`;
  else for await (const { id } of repository.objects(type, signal)) yield id;
}

/** restic prints the same lines under `--json`. */
function print(line: string, output: Output): void {
  output.result(line);
  output.jsonText(`${line}\n`);
}
