import type { Command } from 'commander';
import { latestOfEach } from '../../domain/latest.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { positive } from '../number.ts';
import { addSelectOptions, filterOf, type SelectOptions } from '../select.ts';
import { withRepository } from '../session.ts';
import { snapshotMessage, snapshotTable } from '../views/snapshot.ts';

interface Options extends SelectOptions {
  readonly latest?: number;
  readonly compact?: boolean;
}

export function define(command: Command, invocation: Invocation): void {
  const { output, signal } = invocation;
  describe(command, {
    examples: [
      ['respaldo snapshots', 'all of them, oldest first'],
      ['respaldo snapshots --latest 1', 'the newest of each host and set of paths'],
      ['respaldo snapshots --host web1 --tag daily,db', 'of one host, with both tags'],
      ['respaldo snapshots --json latest | jq -r .[0].id', 'in the shape of restic'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('[id...]', 'only these: ids, their beginnings, or latest')
    .option('--latest <n>', 'only the newest n of each host and set of paths', positive)
    .option('-c, --compact', 'leave the paths out');
  addSelectOptions(command).action((ids: string[], options: Options) =>
    withRepository(invocation, async (repository) => {
      const all = await repository.snapshots(filterOf(options, ids), signal);
      const shown = options.latest === undefined ? all : latestOfEach(all, options.latest);
      output.json(shown.map(snapshotMessage));
      const rows = shown.map((snapshot) => ({ snapshot }));
      output.result(shown.length === 0 ? 'no snapshots' : snapshotTable(output, rows, options.compact ?? false));
    }),
  );
}
