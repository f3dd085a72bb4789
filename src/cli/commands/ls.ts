import { Option, type Command } from 'commander';
import type { ListedNode, ListSelect, Repository } from '../../repository/repository.ts';
import { compareNames } from '../../domain/name.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { quoted } from '../printable.ts';
import { absolute, addSelectOptions, filterOf, parseReference, type SelectOptions } from '../select.ts';
import { withRepository } from '../session.ts';
import { longLine, nodeMessage } from '../views/node.ts';
import { ORDERS, type Order, sorted } from '../views/sorted-nodes.ts';
import { snapshotMessage, snapshotTitle } from '../views/snapshot.ts';

interface Options extends SelectOptions {
  readonly long?: boolean;
  readonly recursive?: boolean;
  readonly sort: Order;
  readonly reverse?: boolean;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about: 'Without a path everything is listed; with one, this entry and what lies directly in it.',
    examples: [
      ['respaldo ls latest', 'every file of the newest snapshot'],
      ['respaldo ls -l latest /etc/ssl', 'one folder, with modes, owners, sizes and times'],
      ['respaldo ls --recursive 1a2b3c4d /etc', 'a folder and all below it'],
      ['respaldo ls --host web1 latest', 'the newest snapshot of a host'],
      ['respaldo ls -l --sort size --reverse latest', 'the largest files first'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('<snapshot>', 'an id, its beginning, or latest')
    .argument('[path...]', 'absolute paths in the snapshot')
    .option('-l, --long', 'modes, owners, sizes and times too')
    .option('--recursive', 'all below the paths, not just what lies directly in them')
    .addOption(new Option('-s, --sort <what>', 'in which order').choices(ORDERS).default('name'))
    .option('--reverse', 'the other way round');
  addSelectOptions(command).action((reference: string, paths: string[], options: Options) =>
    withRepository(invocation, (repository) => list(repository, reference, paths, options, invocation)),
  );
}

async function list(
  repository: Repository,
  reference: string,
  paths: readonly string[],
  options: Options,
  { output, signal }: Invocation,
): Promise<void> {
  const { snapshot: name, path } = parseReference(reference);
  const snapshot = await repository.find(name, filterOf(options), signal);
  const wanted = [...(path === undefined ? [] : [path]), ...paths.map(absolute)];
  output.json({ ...snapshotMessage(snapshot), message_type: 'snapshot', struct_type: 'snapshot' });
  output.note(output.style('dim', `${snapshotTitle(snapshot)}:`));
  const nodes = entries(repository, snapshot, selections(wanted, options), signal);
  const { sort, reverse = false, long = false } = options;
  const isSorted = sort !== 'name' || reverse;
  for await (const node of isSorted ? sorted(await Array.fromAsync(nodes), sort, reverse) : nodes) {
    if (output.mode.json) output.json(nodeMessage(node));
    else output.result(long ? longLine(node) : quoted(node.path));
    if (output.closed) return;
  }
}

/** In the order of the snapshot, as one walk through it would find them. */
function selections(paths: readonly string[], { recursive = false }: Options): readonly ListSelect[] {
  if (paths.length === 0) return [{}];
  return [...new Set(paths)].sort(compareNames).map((path) => ({ path, recursive }));
}

async function* entries(
  repository: Repository,
  snapshot: Snapshot,
  selects: readonly ListSelect[],
  signal: AbortSignal,
): AsyncGenerator<ListedNode, void, undefined> {
  for (const select of selects) yield* repository.list(snapshot, select, signal);
}
