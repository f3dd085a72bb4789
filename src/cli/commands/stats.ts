import { Option, type Command } from 'commander';
import type { StatsMode } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { addSelectOptions, filterOf, type SelectOptions } from '../select.ts';
import { withRepository } from '../session.ts';
import { statsLines, statsMessage } from '../views/stats.ts';

interface Options extends SelectOptions {
  readonly mode: StatsMode;
}

const MODES: readonly StatsMode[] = ['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data'];

export function define(command: Command, invocation: Invocation): void {
  const { output, signal } = invocation;
  describe(command, {
    about:
      'restore-size: what restoring each snapshot takes. files-by-contents: each content once. blobs-per-file: the ' +
      'pieces of these, path by path. raw-data: what all of it takes in the repository, deduplicated and compressed.',
    examples: [
      ['respaldo stats latest', 'what would a restore take?'],
      ['respaldo stats --mode raw-data', 'what do all snapshots take?'],
      ['respaldo stats --mode raw-data --host web1 --json', 'and those of one host?'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('[id...]', 'only these: ids, their beginnings, or latest')
    .addOption(new Option('--mode <mode>', 'what to count').choices(MODES).default('restore-size'));
  addSelectOptions(command).action((ids: string[], options: Options) =>
    withRepository(invocation, async (repository) => {
      output.note('scanning...');
      const snapshots = await repository.snapshots(filterOf(options, ids), signal);
      const stats = await repository.stats(snapshots, options.mode, signal);
      output.json(statsMessage(stats));
      output.result(statsLines(options.mode, stats).join('\n'));
    }),
  );
}
