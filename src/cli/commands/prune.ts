import { InvalidArgumentError, type Command } from 'commander';
import { recorded } from '../../operations/recording.ts';
import type { PrunePlan, Repository } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { withRecorder, withRepository } from '../session.ts';
import { formatBytes } from '../units.ts';
import { prunePlanLines, pruneMessage } from '../views/prune.ts';

export interface PruneOptions {
  /** As a share of the bytes in use. */
  readonly maxUnused: number;
  readonly dryRun?: boolean;
}

/** restic's default. */
const MAX_UNUSED = 0.05;

export function define(command: Command, invocation: Invocation): void {
  describe(addMaxUnused(command), {
    about:
      'Packs that no snapshot needs are removed; packs that are needed in part are written anew without the rest, ' +
      'until at most --max-unused of the space in use is wasted. Nothing is removed before what replaces it is ' +
      'safe.',
    examples: [
      ['respaldo prune --dry-run', 'what would it free?'],
      ['respaldo prune', 'after forget'],
      ['respaldo prune --max-unused 0', 'as small as can be, with more to write'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .option('-n, --dry-run', 'show the plan, change nothing')
    .action((options: PruneOptions) =>
      withRepository(invocation, (repository) => prune(repository, options, invocation)),
    );
}

export function addMaxUnused(command: Command): Command {
  return command.option(
    '--max-unused <share>',
    'unused space that may stay: 5%, 0 or unlimited (default: 5%)',
    parseShare,
  );
}

/** Shows the plan, then carries it out unless this is a dry run. */
export async function prune(
  repository: Repository,
  { maxUnused = MAX_UNUSED, dryRun = false }: Partial<PruneOptions>,
  invocation: Invocation,
): Promise<void> {
  const { output, signal } = invocation;
  const show = (plan: PrunePlan): boolean => {
    output.json(pruneMessage(plan));
    for (const line of prunePlanLines(plan)) output.note(line);
    return !dryRun;
  };
  const work = (): Promise<PrunePlan> => repository.prune({ maxUnused }, show, signal);
  if (dryRun) {
    await work();
    output.note('a dry run: nothing was changed');
    return;
  }
  const run = { operation: 'prune', subject: 'unused space', repository: repository.location } as const;
  const plan = await withRecorder(invocation, (recorder) =>
    recorded(run, recorder, work, () => ({ state: 'succeeded' })),
  );
  const freed = plan.bytes.freed > 0 ? `freed ${formatBytes(plan.bytes.freed)}` : 'there was nothing to free';
  output.note(output.style('green', freed));
}

function parseShare(text: string): number {
  if (text === 'unlimited') return Infinity;
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const number = Number(match?.[1]);
  if (match !== null && (match[2] === '%' || number === 0)) return number / 100;
  throw new InvalidArgumentError('Write it as 5%, 0 or unlimited.');
}
