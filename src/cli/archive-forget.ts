import { removeFileAt } from '../compose.ts';
import { namedPlans } from '../config/named-plans.ts';
import { RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import { planArchiveRetention, type ArchiveOutlook } from '../operations/archive-retention.ts';
import { OpenArchives, type ArchiveOptions } from './archive-options.ts';
import { backupHost } from './identity.ts';
import type { Invocation } from './invocation.ts';
import { quoted } from './printable.ts';
import { canAsk, confirm } from './prompt.ts';
import { withRecorder } from './session.ts';
import { count } from './units.ts';
import { archiveRetentionLines, archiveRetentionMessage } from './views/archive-retention.ts';

export interface ArchiveForgetOptions extends ArchiveOptions {
  readonly host?: string;
  readonly evenIfFailing?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Shows which files the plans' rules do not keep, and removes them if that is wanted. */
export async function forgetArchived(
  names: readonly string[],
  options: ArchiveForgetOptions,
  invocation: Invocation,
): Promise<void> {
  const { output } = invocation;
  await using archives = await OpenArchives.open(options, invocation);
  for (const { archive, error } of archives.problems)
    output.warn(`archive ${archive}: ${error.message}: nothing is removed there`);
  const outlooks = await judge(names, archives, options, invocation);
  output.json(outlooks.map(({ outlook }) => archiveRetentionMessage(outlook)));
  for (const { outlook, plan } of outlooks)
    for (const line of archiveRetentionLines(outlook, plan, output)) output.note(line);
  const goes = outlooks.flatMap(({ outlook }) => outlook.remove);
  if (options.dryRun === true) {
    output.note('a dry run: nothing was removed');
    return;
  }
  await requireConsent(goes.length, options, invocation);
  await remove(
    outlooks.map(({ outlook }) => outlook),
    archives,
    invocation,
  );
}

async function judge(
  names: readonly string[],
  archives: OpenArchives,
  { host: hostname = backupHost(), evenIfFailing = false }: ArchiveForgetOptions,
  invocation: Invocation,
) {
  const plans = namedPlans(names, archives.config).filter((plan) => plan.archives !== undefined);
  return withRecorder(invocation, async ({ catalog, clock }) => {
    const outlooks = [];
    for (const plan of plans) {
      for (const archive of (plan.archives ?? []).filter((name) => archives.locationOf(name) !== undefined)) {
        const files = archives.files.filter((file) => file.archive === archive);
        const location = archives.locationOf(archive) ?? '';
        const request = { plan, archive, location, files, hostname, evenIfFailing, now: clock.now() };
        outlooks.push({ plan, outlook: await planArchiveRetention(request, catalog) });
      }
    }
    return outlooks;
  });
}

/** What goes is gone: somebody has to want it, now that it was shown. */
async function requireConsent(
  files: number,
  { yes = false }: ArchiveForgetOptions,
  { output, signal }: Invocation,
): Promise<void> {
  if (yes || files === 0) return;
  const what = count(files, 'file');
  if (!canAsk(output))
    throw new RespaldoError('usage', `this would remove ${what}, and nobody can be asked: nothing was changed`, {
      hint: 'Add --yes if that is meant, or --dry-run to see what would go.',
    });
  if (!(await confirm(`Remove ${what}?`, signal))) throw new RespaldoError('cancelled', 'nothing was changed');
}

/** What cannot be removed (it may be locked) is told, and the rest removed all the same. */
async function remove(
  outlooks: readonly ArchiveOutlook[],
  archives: OpenArchives,
  { output, signal }: Invocation,
): Promise<void> {
  const failures: RespaldoError[] = [];
  let removed = 0;
  for (const file of outlooks.flatMap((outlook) => outlook.remove)) {
    try {
      await removeFileAt(archives.storeOf(file), file.key, signal);
      removed += 1;
      output.detail(`removed ${quoted(file.key)} of ${quoted(file.archive)}`);
    } catch (error) {
      throwIfAborted(signal);
      const failure = toRespaldoError(error);
      failures.push(failure);
      output.alarm(`archive ${file.archive}: ${quoted(file.key)}: ${failure.message}`);
    }
  }
  output.json({ message_type: 'removed', files: removed, failed: failures.length });
  output.note(removed === 0 ? 'nothing was removed' : `removed ${count(removed, 'file')}`);
  const [first] = failures;
  if (first !== undefined)
    throw new RespaldoError(first.code, `${count(failures.length, 'file')} could not be removed`, { cause: first });
}
