import type { Command } from 'commander';
import { RespaldoError } from '../../errors.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { findEntries } from '../../operations/find.ts';
import { findObjects, type FindObjectsRequest, storedObjects } from '../../operations/find-objects.ts';
import type { Repository } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { showReadable } from '../readable-snapshots.ts';
import { addSelectOptions, collect, filterOf, type SelectOptions } from '../select.ts';
import { withRepository } from '../session.ts';
import { parseTime } from '../time.ts';
import {
  foundLine,
  FoundList,
  foundObjectLines,
  foundObjectMessage,
  foundTitle,
  storedObjectLines,
} from '../views/find.ts';

interface Options extends SelectOptions {
  readonly oldest?: Date;
  readonly newest?: Date;
  readonly snapshot: readonly string[];
  readonly ignoreCase?: boolean;
  readonly long?: boolean;
  readonly reverse?: boolean;
  readonly blob?: boolean;
  readonly tree?: boolean;
  readonly pack?: boolean;
  readonly showPackId?: boolean;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'A pattern without a slash at its beginning matches at any depth, and what lies in a folder that matches is ' +
      'found too. Newest snapshots come first.',
    examples: [
      ['respaldo find "*.sql"', 'in every snapshot'],
      ['respaldo find -l --host web1 /etc/hosts', 'each version of a file'],
      ['respaldo find -i -N 2025-01-31 readme', 'not changed since'],
      ['respaldo find --blob 420f620f', 'which files hold a blob?'],
      ['respaldo find --blob --show-pack-id 420f620f', 'and in which pack is it?'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('<pattern...>', 'names or paths with * ? [a-z] **; with --blob, --tree or --pack: ids')
    .option('-O, --oldest <time>', 'only what was changed then or later', parseTime)
    .option('-N, --newest <time>', 'only what was changed then or earlier', parseTime)
    .option('-s, --snapshot <id>', 'only in this snapshot (repeatable)', collect, [])
    .option('-i, --ignore-case', 'take upper and lower case for the same')
    .option('-l, --long', 'modes, owners, sizes and times too')
    .option('-R, --reverse', 'oldest snapshots first')
    .option('--blob', 'find the files that hold these blobs')
    .option('--tree', 'find the folders that are these trees')
    .option('--pack', 'find what is stored in these packs')
    .option('--show-pack-id', 'with --blob, --tree or --pack: in which packs it is stored, too');
  addSelectOptions(command).action((patterns: string[], options: Options) =>
    withRepository(invocation, (repository) => find(repository, patterns, options, invocation)),
  );
}

async function find(
  repository: Repository,
  patterns: readonly string[],
  options: Options,
  invocation: Invocation,
): Promise<void> {
  const kind = kindOf(options);
  if (kind === undefined && options.showPackId === true)
    throw new RespaldoError('usage', '--show-pack-id is about blobs and trees', { hint: 'Give --blob or --tree too.' });
  const show = async (oldestFirst: readonly Snapshot[]): Promise<void> => {
    const snapshots = options.reverse === true ? oldestFirst : oldestFirst.toReversed();
    if (kind === undefined) {
      await showEntries(repository, patterns, snapshots, options, invocation);
      return;
    }
    const request = { kind, ids: patterns };
    await showObjects(repository, request, snapshots, invocation);
    if (options.showPackId === true) await showPacks(repository, request, invocation);
  };
  await showReadable(repository, filterOf(options, options.snapshot), show, invocation.signal);
}

async function showEntries(
  repository: Repository,
  patterns: readonly string[],
  snapshots: readonly Snapshot[],
  { ignoreCase = false, long = false, oldest, newest }: Options,
  { output, signal }: Invocation,
): Promise<void> {
  const times = { ...(oldest && { oldest }), ...(newest && { newest }) };
  const list = new FoundList();
  let current: Snapshot | undefined;
  for await (const found of findEntries({ patterns, ignoreCase, ...times }, snapshots, { repository }, signal)) {
    if (output.mode.json) output.jsonText(list.next(found));
    else {
      if (found.snapshot !== current) output.note(`${current === undefined ? '' : '\n'}${foundTitle(found.snapshot)}`);
      current = found.snapshot;
      output.result(foundLine(found, long));
    }
    if (output.closed) return;
  }
  output.jsonText(list.end());
}

async function showObjects(
  repository: Repository,
  request: FindObjectsRequest,
  snapshots: readonly Snapshot[],
  { output, signal }: Invocation,
): Promise<void> {
  let separator = '[';
  for await (const found of findObjects(request, snapshots, { repository }, signal)) {
    output.jsonText(separator + JSON.stringify(foundObjectMessage(found)));
    for (const line of foundObjectLines(found)) output.result(line);
    separator = ',';
    if (output.closed) return;
  }
  output.jsonText(separator === '[' ? '[]\n' : ']\n');
}

/** As restic, after everything else and never as JSON. */
async function showPacks(
  repository: Repository,
  request: FindObjectsRequest,
  { output, signal }: Invocation,
): Promise<void> {
  for await (const blob of storedObjects(request, { repository }, signal)) {
    for (const line of storedObjectLines(blob)) output.result(line);
    if (output.closed) return;
  }
}

function kindOf({ blob, tree, pack }: Options): FindObjectsRequest['kind'] | undefined {
  const [kind, ...others] = [
    ...(blob === true ? ['blob' as const] : []),
    ...(tree === true ? ['tree' as const] : []),
    ...(pack === true ? ['pack' as const] : []),
  ];
  if (others.length === 0) return kind;
  throw new RespaldoError('usage', '--blob, --tree and --pack exclude each other', { hint: 'Give one of them.' });
}
