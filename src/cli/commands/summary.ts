import type { Command } from 'commander';
import { toRespaldoError, type RespaldoError } from '../../errors.ts';
import { summarize, summarizeGroups, type Summary } from '../../operations/summary.ts';
import { report } from '../errors.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import { backupHost } from '../identity.ts';
import type { Invocation } from '../invocation.ts';
import { OpenRepositories } from '../open-repositories.ts';
import type { Output } from '../output.ts';
import { surroundings, withRecorder, withRepository } from '../session.ts';
import { summaryMessage, summaryTable } from '../views/summary.ts';

interface Options {
  readonly host?: string;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'Per plan: the last success and its age, held against the schedule; its type and proof; the size of the source, ' +
      'of all snapshots restored, and of what is stored of them (deduplicated, compressed), with the ratio of the ' +
      'two; what retention would do; the next run. A plan is overdue when half of the time to its following run has ' +
      'gone by as well, twelve hours at most. Without plans: the snapshots of each host and set of paths.',
    examples: [
      ['respaldo summary', 'every plan of respaldo.yaml'],
      ['respaldo summary shop --json | jq .[0].schedule.overdue', 'for a monitor'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('[plan...]', 'plans of respaldo.yaml; none: all of them')
    .option('-H, --host <name>', 'of backups that recorded this host; default: this one (RESPALDO_HOST)')
    .action((plans: string[], options: Options) => run(plans, options, invocation));
}

/** What cannot be looked at is told, and the rest is shown all the same. */
async function run(names: readonly string[], { host }: Options, invocation: Invocation): Promise<void> {
  const { output, signal, clock } = invocation;
  const { repositoryPlans } = await import('../../config/named-plans.ts');
  const around = await surroundings(invocation);
  if (names.length === 0 && (around.config?.plans.size ?? 0) === 0) return withoutPlans(invocation);
  const plans = repositoryPlans(names, around.config);
  await using repositories = new OpenRepositories(invocation, around);
  const summaries: Summary[] = [];
  const failures: RespaldoError[] = [];
  await withRecorder(invocation, async ({ catalog }) => {
    for (const plan of plans) {
      try {
        const ports = { repository: await repositories.of(plan), catalog, clock };
        summaries.push(await summarize({ plan, hostname: host ?? backupHost() }, ports, signal));
      } catch (error) {
        const failure = toRespaldoError(error);
        if (plans.length === 1 || signal.aborted) throw failure;
        report(failure, output, signal);
        failures.push(failure);
      }
    }
  });
  show(summaries, output);
  if (failures[0] !== undefined) invocation.exit(failures[0].exit);
}

/** Of the repository that the command means. */
function withoutPlans(invocation: Invocation): Promise<void> {
  const { clock, signal, output } = invocation;
  return withRepository(invocation, async (repository) =>
    show(await summarizeGroups({ repository, clock }, signal), output),
  );
}

function show(summaries: readonly Summary[], output: Output): void {
  output.json(summaries.map(summaryMessage));
  output.result(summaries.length === 0 ? 'no snapshots' : summaryTable(summaries, output));
}
