import type { Command } from 'commander';
import type { Change, DiffSide, Repository } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { addSelectOptions, filterOf, parseReference, type SelectOptions } from '../select.ts';
import { withRepository } from '../session.ts';
import { changeLine, changeMessage, differenceLines, differenceMessage } from '../views/diff.ts';
import { shortId } from '../views/snapshot.ts';

interface Options extends SelectOptions {
  readonly metadata?: boolean;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      '+ is new, - is gone, M has other content, T became something else, U (with --metadata) has another owner, ' +
      'mode, time or the like. M? has other content although nothing else says so: look at the disk. --quiet leaves ' +
      'the sum alone.',
    examples: [
      ['respaldo diff 1a2b3c4d latest', 'what changed since?'],
      ['respaldo diff 1a2b3c4d:/etc 5e6f7a8b:/etc', 'in one folder'],
      ['respaldo diff --metadata 1a2b3c4d 5e6f7a8b', 'owners, modes and times too'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('<before>', 'a snapshot: an id, its beginning, or latest; with :/folder a part of it')
    .argument('<after>', 'the one to compare with')
    .option('--metadata', 'tell of changed metadata too');
  addSelectOptions(command).action((before: string, after: string, options: Options) =>
    withRepository(invocation, (repository) => diff(repository, [before, after], options, invocation)),
  );
}

async function diff(
  repository: Repository,
  [before, after]: readonly [string, string],
  options: Options,
  { output, signal }: Invocation,
): Promise<void> {
  const [from, to] = [
    await sideOf(before, repository, options, signal),
    await sideOf(after, repository, options, signal),
  ];
  output.note(`comparing snapshot ${shortId(from.snapshot.id)} to ${shortId(to.snapshot.id)}:\n`);
  const onChange = (change: Change): void => {
    if (!output.mode.quiet) output.json(changeMessage(change));
    output.note(changeLine(change));
  };
  const difference = await repository.diff(from, to, { metadata: options.metadata ?? false, onChange }, signal);
  output.json(differenceMessage(before, after, difference));
  output.result(['', ...differenceLines(difference)].join('\n'));
}

async function sideOf(
  text: string,
  repository: Repository,
  options: SelectOptions,
  signal: AbortSignal,
): Promise<DiffSide> {
  const { snapshot, path } = parseReference(text);
  return {
    snapshot: await repository.find(snapshot, filterOf(options), signal),
    ...(path !== undefined && { path }),
  };
}
