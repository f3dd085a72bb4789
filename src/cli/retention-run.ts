/** What `respaldo retention show` and `apply` do, and forget for plans. */
import type { NamedPlan } from '../config/named-plans.ts';
import { hasRepository } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { isError, RespaldoError } from '../errors.ts';
import { forget } from '../operations/forget.ts';
import { recorded, type Recorder } from '../operations/recording.ts';
import { bytesOnlyIn, planRetentionOf, type RetentionOutlook } from '../operations/retention.ts';
import type { Repository } from '../repository/repository.ts';
import { backupHost } from './identity.ts';
import type { Invocation } from './invocation.ts';
import { OpenRepositories } from './open-repositories.ts';
import type { PruneFlags } from './prune-options.ts';
import { canAsk, confirm } from './prompt.ts';
import { surroundings, withRecorder } from './session.ts';
import { count } from './units.ts';
import { retentionLines, retentionMessage } from './views/retention.ts';

/** As commander hands them over. */
export interface RetentionOptions extends PruneFlags {
  readonly host?: string;
  readonly evenIfFailing?: boolean;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly yes?: boolean;
}

/** One plan of the command line, judged. */
interface Judged {
  readonly plan: NamedPlan;
  readonly repository: Repository;
  readonly outlook: RetentionOutlook;
}

export async function showRetention(
  names: readonly string[],
  options: RetentionOptions,
  invocation: Invocation,
): Promise<void> {
  await withJudged(names, options, invocation, async (judged) => {
    await tell(judged, invocation);
    invocation.output.note('nothing was changed');
  });
}

export async function applyRetention(
  names: readonly string[],
  options: RetentionOptions,
  invocation: Invocation,
): Promise<void> {
  await withJudged(names, options, invocation, async (judged, recorder) => {
    await tell(judged, invocation);
    await requireConsent(judged, options, invocation);
    const changed = new Set<Repository>();
    for (const { plan, repository, outlook } of judged) {
      if (outlook.remove.length === 0) continue;
      await drop(plan.name, outlook.remove, repository, recorder, invocation);
      changed.add(repository);
    }
    if (options.prune !== true) return;
    const { prune } = await import('./commands/prune.ts');
    // What is not asked of prune: a dry run has ended before.
    for (const repository of changed) await prune(repository, { ...options, dryRun: false }, invocation);
  });
}

/** What would stay and go by rules that are not written yet; undefined for a plan that has no repository. */
export async function previewRetention(
  plan: NamedPlan,
  invocation: Invocation,
): Promise<{ readonly message: unknown; readonly lines: readonly string[] } | undefined> {
  if (!hasRepository(plan)) return undefined;
  const around = await surroundings(invocation);
  const { output, signal } = invocation;
  await using repositories = new OpenRepositories(invocation, around);
  return await withRecorder(invocation, async (recorder) => {
    const repository = await repositories.of(plan);
    const request = { plan, hostname: backupHost(), evenIfFailing: false };
    const outlook = await planRetentionOf(request, { repository, ...recorder }, signal);
    const freed = await freedBy(outlook, repository, signal);
    return { message: retentionMessage(outlook, plan, freed), lines: retentionLines(outlook, plan, freed, output) };
  });
}

/** What goes is gone: somebody has to want it, now that it was shown. */
async function requireConsent(
  judged: readonly Judged[],
  { yes = false }: RetentionOptions,
  { output, signal }: Invocation,
): Promise<void> {
  const snapshots = judged.reduce((sum, { outlook }) => sum + outlook.remove.length, 0);
  if (yes || snapshots === 0) return;
  const what = count(snapshots, 'snapshot');
  if (!canAsk(output))
    throw new RespaldoError('usage', `this would drop ${what}, and nobody can be asked: nothing was changed`, {
      hint: 'Add --yes if that is meant, or --dry-run to see what would go.',
    });
  if (!(await confirm(`Drop ${what}?`, signal))) throw new RespaldoError('cancelled', 'nothing was changed');
}

/** Judges the plans one by one, with their repositories open for as long as `work` takes. */
async function withJudged(
  names: readonly string[],
  { host, evenIfFailing = false }: RetentionOptions,
  invocation: Invocation,
  work: (judged: readonly Judged[], recorder: Recorder) => Promise<void>,
): Promise<void> {
  const { repositoryPlans } = await import('../config/named-plans.ts');
  const around = await surroundings(invocation);
  const plans = repositoryPlans(names, around.config);
  const hostname = host ?? backupHost();
  await using repositories = new OpenRepositories(invocation, around);
  await withRecorder(invocation, async (recorder) => {
    const judged: Judged[] = [];
    for (const plan of plans) {
      const repository = await repositories.of(plan);
      const ports = { repository, ...recorder };
      const outlook = await planRetentionOf({ plan, hostname, evenIfFailing }, ports, invocation.signal);
      judged.push({ plan, repository, outlook });
    }
    await work(judged, recorder);
  });
}

async function tell(judged: readonly Judged[], { output, signal }: Invocation): Promise<void> {
  const messages: unknown[] = [];
  for (const { plan, repository, outlook } of judged) {
    const freed = await freedBy(outlook, repository, signal);
    messages.push(retentionMessage(outlook, plan, freed));
    output.result([...retentionLines(outlook, plan, freed, output), ''].join('\n'));
  }
  output.json(messages);
}

/** Undefined: it cannot be told while another process writes. */
async function freedBy(
  { remove }: RetentionOutlook,
  repository: Repository,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    return await bytesOnlyIn(remove, repository, signal);
  } catch (error) {
    if (isError(error, 'repository-locked')) return undefined;
    throw error;
  }
}

async function drop(
  plan: string,
  snapshots: readonly Snapshot[],
  repository: Repository,
  recorder: Recorder,
  { output, signal }: Invocation,
): Promise<void> {
  await recorded(
    { operation: 'forget', subject: plan, repository: repository.location },
    recorder,
    () => forget({ groups: [], remove: snapshots }, { repository }, signal),
    () => ({ state: 'succeeded' }),
  );
  output.note(output.style('green', `dropped ${count(snapshots.length, 'snapshot')} of ${plan}`));
}
