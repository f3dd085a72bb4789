import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { BY_HOST_AND_PATHS, type GroupBy } from '../../domain/snapshot-group.ts';
import { forget, planForget, planForgetNamed, type ForgetPlan, type ForgetPolicy } from '../../operations/forget.ts';
import { recorded } from '../../operations/recording.ts';
import { basisOf, forgetPlanOf, planRetentionOf } from '../../operations/retention.ts';
import type { Repository } from '../../repository/repository.ts';
import { groupBy } from '../group-by.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import { backupHost } from '../identity.ts';
import type { Invocation } from '../invocation.ts';
import { addKeepOptions, rulesOf, type KeepOptions } from '../keep-options.ts';
import { addPruneOptions, type PruneFlags } from '../prune-options.ts';
import { addSelectOptions, filterOf, type SelectOptions } from '../select.ts';
import { withRecorder, withRepository } from '../session.ts';
import { count } from '../units.ts';
import { forgetLines, forgetMessage } from '../views/forget.ts';
import { prune } from './prune.ts';

interface Options extends SelectOptions, KeepOptions, PruneFlags {
  readonly groupBy: GroupBy;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly compact?: boolean;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'Snapshots are dropped that are named, or that no rule keeps; a snapshot stays if any rule wants it. Each ' +
      'host and set of paths is judged by itself, and the last complete snapshot of each always stays. Without ids ' +
      'and rules the plans of respaldo.yaml are judged by their own, as by retention apply. Dropping frees no ' +
      'space: --prune, or prune, does.',
    examples: [
      ['respaldo forget --keep-daily 7 --keep-weekly 4 --prune', 'and free the space'],
      ['respaldo forget --keep-within 30d --dry-run', 'what would go?'],
      ['respaldo forget 1a2b3c4d', 'this one'],
      ['respaldo forget --host web1 --tag daily --keep-last 3', 'only among some'],
    ],
    exits: [...REPOSITORY_EXITS],
  }).argument('[id...]', 'snapshots to drop: ids, their beginnings, or latest');
  addKeepOptions(command)
    .option('-g, --group-by <what>', 'host,paths,tags or fewer (default: host,paths)', groupBy, BY_HOST_AND_PATHS)
    .option('--prune', 'free the space too, if something was dropped')
    .option('-c, --compact', 'leave the paths out')
    .option('-n, --dry-run', 'show what would be dropped, change nothing');
  addPruneOptions(addSelectOptions(command)).action((ids: string[], options: Options) =>
    withRepository(invocation, (repository, { config }) => run(repository, ids, options, config, invocation)),
  );
}

async function run(
  repository: Repository,
  ids: readonly string[],
  options: Options,
  config: Config | undefined,
  invocation: Invocation,
): Promise<void> {
  const { output, signal, clock } = invocation;
  const ports = { repository, clock };
  const plan =
    ids.length > 0
      ? await planForgetNamed(ids, filterOf(options), ports, signal)
      : await planByRules(repository, options, config, invocation);
  for (const line of forgetLines(plan, options.compact ?? false, output)) output.note(line);
  if (options.dryRun === true) {
    if (ids.length === 0) output.json(forgetMessage(plan));
    if (options.prune === true && plan.remove.length > 0)
      await prune(
        repository,
        options,
        invocation,
        plan.remove.map(({ id }) => id),
      );
    else output.note('a dry run: nothing was changed');
    return;
  }
  await carryOut(plan, repository, invocation);
  if (ids.length === 0) output.json(forgetMessage(plan));
  if (options.prune === true && plan.remove.length > 0) await prune(repository, options, invocation);
}

async function carryOut(plan: ForgetPlan, repository: Repository, invocation: Invocation): Promise<void> {
  if (plan.remove.length === 0) return;
  const { output, signal } = invocation;
  const subject = count(plan.remove.length, 'snapshot');
  await withRecorder(invocation, (recorder) =>
    recorded(
      { operation: 'forget', subject, repository: repository.location },
      recorder,
      () => forget(plan, { repository }, signal),
      () => ({ state: 'succeeded' }),
    ),
  );
  output.note(output.style('green', `dropped ${subject}`));
}

/** By the rules of the command line or, where it says nothing at all, by those that the plans of the configuration have. */
async function planByRules(
  repository: Repository,
  options: Options,
  config: Config | undefined,
  invocation: Invocation,
): Promise<ForgetPlan> {
  const { signal, clock } = invocation;
  const asked: ForgetPolicy = { filter: filterOf(options), rules: rulesOf(options), groupBy: options.groupBy };
  const saysNothing = [asked.rules, asked.filter].every((part) => Object.values(part).flat().length === 0);
  const { repositoryPlans } = await import('../../config/named-plans.ts');
  const plans = saysNothing && config !== undefined && config.plans.size > 0 ? repositoryPlans([], config) : [];
  const own = plans.filter((plan) => basisOf(plan) !== 'nothing');
  if (own.length === 0) return planForget(asked, { repository, clock }, signal);
  return withRecorder(invocation, async ({ catalog }) => {
    const outlooks = await Promise.all(
      own.map((plan) => {
        const request = { plan, hostname: backupHost(), evenIfFailing: false };
        return planRetentionOf(request, { repository, catalog, clock }, signal);
      }),
    );
    return merged(outlooks.map(forgetPlanOf));
  });
}

function merged(plans: readonly ForgetPlan[]): ForgetPlan {
  return { groups: plans.flatMap(({ groups }) => groups), remove: plans.flatMap(({ remove }) => remove) };
}
