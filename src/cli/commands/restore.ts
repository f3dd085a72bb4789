import path from 'node:path';
import { Option, type Command } from 'commander';
import { hostRuntime, sourceKinds } from '../../compose.ts';
import { RespaldoError } from '../../errors.ts';
import { recorded } from '../../operations/recording.ts';
import {
  planRestore,
  restore,
  type RestoreOutcome,
  type RestorePlan,
  type RestorePorts,
  type RestoreRequest,
} from '../../operations/restore.ts';
import type { OverwritePolicy, Repository } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { canAsk, confirm } from '../prompt.ts';
import { showProgress } from '../progress.ts';
import { addSelectOptions, collect, filterOf, parseReference, type SelectOptions } from '../select.ts';
import { withRecorder, withRepository } from '../session.ts';
import { tellFinding } from '../views/finding.ts';
import { planLines, restoredLine, restoreMessage, restoreProgress } from '../views/restore.ts';

interface Options extends SelectOptions {
  readonly target: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly overwrite?: OverwritePolicy;
  readonly raw?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'Every byte is verified while it is restored. The target must be missing, empty, or hold an unfinished ' +
      'restore of the same snapshot, which is then completed. A PostgreSQL snapshot becomes a data directory that ' +
      'a server starts on.',
    examples: [
      ['respaldo restore latest --target ./restored', 'everything'],
      ['respaldo restore latest:/etc/ssl --target ./ssl', 'what lies in one folder, without the folders above it'],
      ['respaldo restore 1a2b3c4d --target ./r --include "*.conf"', 'only some files'],
      ['respaldo restore latest --target / --overwrite if-changed', 'back in place'],
      ['respaldo restore latest --target ./restored --dry-run', 'what would it do?'],
    ],
    exits: [3, ...REPOSITORY_EXITS],
  })
    .argument('<snapshot>', 'an id, its beginning, or latest; with :/folder a part of it')
    .requiredOption('-t, --target <folder>', 'where to restore to')
    .option('-i, --include <pattern>', 'restore only what matches (repeatable)', collect, [])
    .option('-e, --exclude <pattern>', 'leave out what matches (repeatable)', collect, [])
    .addOption(
      new Option('--overwrite <when>', 'what to do with files that exist in the target').choices([
        'always',
        'if-changed',
        'if-newer',
        'never',
      ]),
    )
    .option('--raw', "a database's files as they are stored, not made usable")
    .option('-n, --dry-run', 'show what would be done')
    .option('-y, --yes', 'ask nothing');
  addSelectOptions(command).action((reference: string, options: Options) =>
    withRepository(invocation, (repository) => run(repository, reference, options, invocation)),
  );
}

async function run(repository: Repository, reference: string, options: Options, invocation: Invocation): Promise<void> {
  const { output, clock, signal } = invocation;
  const request = await requestOf(repository, reference, options, signal);
  const ports = { repository, runtime: await hostRuntime(), kinds: await sourceKinds() };
  const plan = await planRestore(request, ports, signal);
  for (const line of planLines(plan)) output.note(line);
  await requireConsent(plan, options, invocation);

  const startedAt = clock.monotonic();
  const outcome = await carryOut(plan, ports, invocation);
  tell(outcome, plan, clock.monotonic() - startedAt, invocation);
}

async function requestOf(
  repository: Repository,
  reference: string,
  options: Options,
  signal: AbortSignal,
): Promise<RestoreRequest> {
  const { include, exclude, overwrite, raw, dryRun = false } = options;
  if (include.length > 0 && exclude.length > 0)
    throw new RespaldoError('usage', '--include and --exclude exclude each other', { hint: 'Give one of them.' });
  const { snapshot, path: part } = parseReference(reference);
  return {
    snapshot: await repository.find(snapshot, filterOf(options), signal),
    target: path.resolve(options.target),
    include,
    exclude,
    dryRun,
    ...(part !== undefined && { path: part }),
    ...(overwrite !== undefined && { overwrite }),
    ...(raw !== undefined && { raw }),
  };
}

/** Files that exist are replaced only after a yes, where there is somebody to ask. */
async function requireConsent(
  { request, target }: RestorePlan,
  options: Options,
  invocation: Invocation,
): Promise<void> {
  const { output, signal } = invocation;
  const replaces = request.overwrite !== undefined && request.overwrite !== 'never' && target.entries > 0;
  if (!replaces || request.dryRun || options.yes === true || !canAsk(output)) return;
  if (await confirm(`${request.target} is not empty: replace what is in it?`, signal)) return;
  throw new RespaldoError('cancelled', 'not restored: nothing was changed');
}

function carryOut(
  plan: RestorePlan,
  ports: Pick<RestorePorts, 'repository' | 'runtime' | 'kinds'>,
  invocation: Invocation,
): Promise<RestoreOutcome> {
  const { output, clock, signal } = invocation;
  const work = async (): Promise<RestoreOutcome> => {
    using progress = showProgress(output, clock, restoreProgress);
    return await restore(
      plan,
      {
        ...ports,
        onProgress: progress.update,
        onFinding: (finding) => tellFinding(finding, 'restore', output),
      },
      signal,
    );
  };
  if (plan.request.dryRun) return work();
  const run = { operation: 'restore', subject: plan.request.target, repository: ports.repository.location } as const;
  return withRecorder(invocation, (recorder) =>
    recorded(run, recorder, work, ({ state, progress }) => ({
      state,
      snapshot: plan.request.snapshot.id,
      bytesProcessed: progress.bytesRestored,
    })),
  );
}

function tell({ state, progress }: RestoreOutcome, plan: RestorePlan, elapsed: number, invocation: Invocation): void {
  const { output, exit } = invocation;
  output.json(restoreMessage(progress, elapsed));
  output.note(restoredLine(progress, plan, elapsed));
  if (state === 'succeeded') return;
  exit(3);
  output.jsonError({ message_type: 'exit_error', code: 3, message: 'something could not be restored' });
  output.alarm('restored, but not everything: see above');
}
