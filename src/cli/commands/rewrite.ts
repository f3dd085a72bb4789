import type { Command } from 'commander';
import type { SnapshotChange } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { addExcludeOptions, type ExcludeOptions, excludesOf } from '../pattern-options.ts';
import { harmless } from '../printable.ts';
import { addRewriteOptions, type RewriteFlags, runRewrite } from '../rewriting.ts';
import { addSelectOptions, filterOf } from '../select.ts';
import { withRepository } from '../session.ts';
import { parseTime } from '../time.ts';

interface Options extends RewriteFlags, ExcludeOptions {
  readonly newHost?: string;
  readonly newTime?: Date;
  readonly snapshotSummary?: boolean;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'Makes new snapshots of those that change and leaves the old ones beside them, unless --forget drops those. Without ' +
      'ids all snapshots are rewritten that --host, --tag and --path select. The new ones have the tag rewrite, unless ' +
      'the old ones go. What was excluded is gone from the repository after --forget and prune.',
    examples: [
      ["respaldo rewrite --exclude '/srv/dumps' --forget", 'a folder that was never meant to be saved'],
      ["respaldo rewrite --exclude '*.iso' --dry-run -v", 'what would go?'],
      ['respaldo rewrite --new-host web1 --forget 1a2b3c4d', 'the host was wrong'],
    ],
    exits: [...REPOSITORY_EXITS],
  }).argument('[id...]', 'only these: ids, their beginnings, or latest');
  addExcludeOptions(command)
    .option('--new-host <name>', 'record this host')
    .option('--new-time <time>', 'record this time: "2025-01-31 07:05:09"', parseTime)
    .option('-s, --snapshot-summary', 'record how many files and bytes there are');
  addSelectOptions(addRewriteOptions(command)).action((ids: string[], options: Options) =>
    run(ids, options, invocation),
  );
}

async function run(ids: readonly string[], options: Options, invocation: Invocation): Promise<void> {
  const change = await changeOf(options);
  await withRepository(invocation, (repository) =>
    runRewrite(
      options,
      invocation,
      (rewriting) => repository.rewrite(filterOf(options, ids), change, rewriting, invocation.signal),
      ({ message }, output) => output.note(harmless(message)),
    ),
  );
}

async function changeOf(options: Options): Promise<SnapshotChange> {
  const { patterns, ignoringCase } = await excludesOf(options);
  const { newHost, newTime, snapshotSummary = false } = options;
  return {
    exclude: patterns,
    excludeAnyCase: ignoringCase,
    summary: snapshotSummary,
    ...(newHost !== undefined && { hostname: newHost }),
    ...(newTime && { time: newTime }),
  };
}
