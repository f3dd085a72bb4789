import type { Command } from 'commander';
import { RespaldoError } from '../../errors.ts';
import type { Repository, TagChange } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { addSelectOptions, collect, filterOf, type SelectOptions } from '../select.ts';
import { withRepository } from '../session.ts';
import { count } from '../units.ts';
import { shortId } from '../views/snapshot.ts';

interface Options extends SelectOptions {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly set: readonly string[];
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'Without ids all snapshots are changed that --host, --tag and --path select. A changed snapshot gets a new id ' +
      'and remembers its first one. --set leaves the tag incomplete where it is; --remove can take it.',
    examples: [
      ['respaldo tag --add keep 1a2b3c4d', 'one snapshot'],
      ['respaldo tag --tag old --set archive,2024', 'all that have a tag'],
      ["respaldo tag --set '' latest", 'no tags at all'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('[id...]', 'only these: ids, their beginnings, or latest')
    .option('--add <tag,…>', 'tags to add (repeatable)', collect, [])
    .option('--remove <tag,…>', 'tags to take away (repeatable)', collect, [])
    .option('--set <tag,…>', 'tags to have instead of the present ones (repeatable)', collect, []);
  addSelectOptions(command).action((ids: string[], options: Options) => {
    const change = changeOf(options);
    return withRepository(invocation, (repository) => tag(repository, ids, change, options, invocation));
  });
}

async function tag(
  repository: Repository,
  ids: readonly string[],
  change: TagChange,
  options: Options,
  { output, signal }: Invocation,
): Promise<void> {
  const changed = await repository.tag(filterOf(options, ids), change, signal);
  for (const { before, after } of changed) {
    output.json({ message_type: 'changed', old_snapshot_id: before, new_snapshot_id: after });
    output.detail(`snapshot ${shortId(before)} is ${shortId(after)} now`);
  }
  output.json({ message_type: 'summary', changed_snapshots: changed.length });
  output.note(changed.length === 0 ? 'no snapshot was changed' : `changed ${count(changed.length, 'snapshot')}`);
}

function changeOf(options: Options): TagChange {
  const [set, add, remove] = [options.set, options.add, options.remove].map(tagsOf);
  if (set === undefined && add === undefined && remove === undefined)
    throw new RespaldoError('usage', 'nothing to change', { hint: 'Give --add, --remove or --set.' });
  if (set !== undefined && (add !== undefined || remove !== undefined))
    throw new RespaldoError('usage', '--set excludes --add and --remove', { hint: 'Give one or the others.' });
  return { ...(set && { set }), add: add ?? [], remove: remove ?? [] };
}

/** The tags of comma-separated lists, or undefined where there is no list. */
function tagsOf(lists: readonly string[]): readonly string[] | undefined {
  if (lists.length === 0) return undefined;
  return lists
    .flatMap((list) => list.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
