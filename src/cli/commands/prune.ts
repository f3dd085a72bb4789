import type { Command } from 'commander';
import { recorded } from '../../operations/recording.ts';
import type { PrunePlan, Repository } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { addPruneOptions, type PruneFlags, prunePolicyOf } from '../prune-options.ts';
import { withRecorder, withRepository } from '../session.ts';
import { count, formatBytes } from '../units.ts';
import { prunePlanLines, pruneMessage } from '../views/prune.ts';

interface Options extends PruneFlags {
  readonly dryRun?: boolean;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'Packs that no snapshot needs are removed; packs that are needed in part are written anew without the rest, ' +
      'until at most --max-unused of the space in use is wasted. Nothing is removed before what replaces it is ' +
      'safe.',
    examples: [
      ['respaldo prune --dry-run', 'what would it free?'],
      ['respaldo prune', 'after forget'],
      ['respaldo prune --max-unused 0', 'as small as can be, with more to write'],
      ['respaldo prune --max-repack-size 2G', 'a piece of the work every night'],
    ],
    exits: [...REPOSITORY_EXITS],
  }).option('-n, --dry-run', 'show the plan, change nothing');
  addPruneOptions(command).action((options: Options) =>
    withRepository(invocation, (repository) => prune(repository, options, invocation)),
  );
}

/**
 * Shows the plan, then carries it out unless this is a dry run.
 * @param without snapshots that a dry run of forget would have dropped: then this is one, too
 */
export async function prune(
  repository: Repository,
  { dryRun = false, ...flags }: Options,
  invocation: Invocation,
  without?: readonly string[],
): Promise<void> {
  const { output, signal } = invocation;
  const policy = { ...prunePolicyOf(flags), planOnly: dryRun, ...(without && { without }) };
  const show = (plan: PrunePlan): boolean => {
    output.json(pruneMessage(plan));
    for (const line of prunePlanLines(plan)) output.note(line);
    return !dryRun;
  };
  const work = (): Promise<PrunePlan> => repository.prune(policy, show, signal);
  if (dryRun) {
    await work();
    output.note('a dry run: nothing was changed');
    return;
  }
  const run = { operation: 'prune', subject: 'unused space', repository: repository.location } as const;
  const plan = await withRecorder(invocation, (recorder) =>
    recorded(run, recorder, work, () => ({ state: 'succeeded' })),
  );
  const idle =
    plan.repackPacks.length > 0 ? `wrote ${count(plan.repackPacks.length, 'pack')} anew` : 'there was nothing to free';
  const freed = plan.bytes.freed > 0 ? `freed ${formatBytes(plan.bytes.freed)}` : idle;
  output.note(output.style('green', freed));
}
