import type { Command } from 'commander';
import { latestOfEach } from '../../domain/latest.ts';
import { groupSnapshots, type GroupBy } from '../../domain/snapshot-group.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { groupBy } from '../group-by.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { positive } from '../number.ts';
import type { Output } from '../output.ts';
import { showReadable } from '../readable-snapshots.ts';
import { addSelectOptions, filterOf, type SelectOptions } from '../select.ts';
import { withRepository } from '../session.ts';
import { groupMessage, groupTitle } from '../views/group.ts';
import { snapshotMessage, snapshotTable } from '../views/snapshot.ts';

interface Options extends SelectOptions {
  readonly latest?: number;
  readonly compact?: boolean;
  readonly groupBy?: GroupBy;
}

export function define(command: Command, invocation: Invocation): void {
  const { output, signal } = invocation;
  describe(command, {
    examples: [
      ['respaldo snapshots', 'all of them, oldest first'],
      ['respaldo snapshots --latest 1', 'the newest of each host and set of paths'],
      ['respaldo snapshots --group-by host', 'host by host'],
      ['respaldo snapshots --host web1 --tag daily,db', 'of one host, with both tags'],
      ['respaldo snapshots --json latest | jq -r .[0].id', 'in the shape of restic'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('[id...]', 'only these: ids, their beginnings, or latest')
    .option('--latest <n>', 'only the newest n of each host and set of paths, or of each group', positive)
    .option('-g, --group-by <what>', 'a list for each group: host,paths,tags or fewer', groupBy)
    .option('-c, --compact', 'leave the paths out');
  addSelectOptions(command).action((ids: string[], options: Options) =>
    withRepository(invocation, (repository) =>
      showReadable(
        repository,
        filterOf(options, ids),
        (all) => {
          show(all, options, output);
        },
        signal,
      ),
    ),
  );
}

function show(all: readonly Snapshot[], { latest, compact = false, groupBy }: Options, output: Output): void {
  const by = anyOf(groupBy);
  const shown = latest === undefined ? all : latestOfEach(all, latest, by);
  if (shown.length === 0) output.result('no snapshots');
  if (by !== undefined) showGroups(shown, by, compact, output);
  else {
    output.json(shown.map(snapshotMessage));
    if (shown.length > 0) output.result(table(shown, compact, output));
  }
}

/** By nothing is not grouped. */
function anyOf(by: GroupBy | undefined): GroupBy | undefined {
  return by !== undefined && (by.host || by.paths || by.tags) ? by : undefined;
}

function showGroups(shown: readonly Snapshot[], by: GroupBy, compact: boolean, output: Output): void {
  const groups = groupSnapshots(shown, by);
  output.json(
    groups.map(({ key, snapshots }) => ({ group_key: groupMessage(key), snapshots: snapshots.map(snapshotMessage) })),
  );
  for (const { key, snapshots } of groups)
    output.result(`${output.style('bold', `${groupTitle(key)}:`)}\n${table(snapshots, compact, output)}\n`);
}

function table(snapshots: readonly Snapshot[], compact: boolean, output: Output): string {
  return snapshotTable(
    output,
    snapshots.map((snapshot) => ({ snapshot })),
    compact,
  );
}
