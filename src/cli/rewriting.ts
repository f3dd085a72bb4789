/** What the verbs have in common that make new snapshots of old ones. */
import type { Command } from 'commander';
import type { Finding } from '../domain/finding.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Rewritten, RewriteOptions } from '../repository/repository.ts';
import type { Invocation } from './invocation.ts';
import type { Output } from './output.ts';
import type { SelectOptions } from './select.ts';
import { count } from './units.ts';
import { shortId, snapshotTitle } from './views/snapshot.ts';

export interface RewriteFlags extends SelectOptions {
  readonly forget?: boolean;
  readonly dryRun?: boolean;
}

export function addRewriteOptions(command: Command): Command {
  return command
    .option('--forget', 'drop the old snapshots once the new ones are there')
    .option('-n, --dry-run', 'show what would be done, change nothing');
}

/** Makes the new snapshots, and tells what became of the old ones. */
export async function runRewrite(
  { forget = false, dryRun = false }: RewriteFlags,
  { output, exit }: Invocation,
  work: (options: RewriteOptions) => Promise<readonly Rewritten[]>,
  tell: (finding: Finding, output: Output) => void,
): Promise<void> {
  let title: string | undefined;
  const changed = await work({
    forget,
    dryRun,
    onSnapshot: (snapshot: Snapshot) => (title = snapshotTitle(snapshot)),
    onFinding: (finding) => {
      // Only snapshots of which there is something to tell.
      if (title !== undefined) output.note(title);
      title = undefined;
      tell(finding, output);
    },
  });
  for (const one of changed) tellChange(one, { forget, dryRun }, output);
  const left = changed.filter(({ unreadable }) => unreadable === true && !(forget && !dryRun));
  const amount = changed.length - left.length;
  output.json({ message_type: 'summary', changed_snapshots: amount, dry_run: dryRun });
  const verb = dryRun ? 'would change' : 'changed';
  output.note(
    amount === 0 ? `no snapshot ${dryRun ? 'would be' : 'was'} changed` : `${verb} ${count(amount, 'snapshot')}`,
  );
  if (dryRun) output.note('a dry run: nothing was changed');
  else if (left.length > 0) exit(1);
}

function tellChange(
  { before: { id }, after, unreadable }: Rewritten,
  { forget, dryRun }: Required<Pick<RewriteFlags, 'forget' | 'dryRun'>>,
  output: Output,
): void {
  output.json({
    message_type: 'changed',
    old_snapshot_id: id,
    ...(after !== undefined && { new_snapshot_id: after }),
    removed: forget && !dryRun,
  });
  const name = `snapshot ${shortId(id)}`;
  if (unreadable === true) {
    if (!forget) output.warn(`${name} cannot be read at all: --forget drops it`);
    else output.note(`${name} cannot be read at all: it ${dryRun ? 'would be' : 'was'} dropped`);
  } else if (after === undefined) output.note(`${name} would be ${forget ? 'replaced' : 'saved anew'}`);
  else output.note(`${name} is ${shortId(after)} now${forget ? '' : '; the old one is still there'}`);
}
