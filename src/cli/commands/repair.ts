import type { Command } from 'commander';
import type { Finding } from '../../domain/finding.ts';
import type { Repository } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { addRewriteOptions, type RewriteFlags, runRewrite } from '../rewriting.ts';
import { addSelectOptions, filterOf } from '../select.ts';
import { withRepository } from '../session.ts';
import { count } from '../units.ts';
import { tellRepairFinding } from '../views/finding.ts';

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'check tells what is damaged and which of these to run. In this order: index, packs, snapshots, then check again ' +
      'and prune. A backup between packs and snapshots stores again what is lost, wherever the source still has it, ' +
      'and snapshots become whole by it.',
    examples: [
      ['respaldo check --read-data', 'what is damaged?'],
      ['respaldo repair packs 1a2b…', 'save what a damaged pack still holds'],
      ['respaldo repair index', 'tell anew which packs hold what'],
      ['respaldo repair snapshots --forget', 'leave out what is lost'],
    ],
    exits: [...REPOSITORY_EXITS],
  });
  defineIndex(command, invocation);
  definePacks(command, invocation);
  defineSnapshots(command, invocation);
}

interface IndexOptions {
  readonly readAllPacks?: boolean;
}

function defineIndex(command: Command, invocation: Invocation): void {
  describe(command.command('index').description('Make the index tell of the packs that are there'), {
    about:
      'Index files that cannot be read are replaced; packs that no index tells of, or of another size than it tells, ' +
      'are asked what they hold. Of a pack that is damaged, what can be read of it stays in the index.',
    examples: [
      ['respaldo repair index', 'after check found a damaged index'],
      ['respaldo repair index --read-all-packs', 'believe no index at all'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .option('--read-all-packs', 'read the header of every pack')
    .action((options: IndexOptions) =>
      withRepository(invocation, (repository) => repairIndex(repository, options, invocation)),
    );
}

async function repairIndex(
  repository: Repository,
  { readAllPacks = false }: IndexOptions,
  { output, signal }: Invocation,
): Promise<void> {
  const onFinding = (finding: Finding): void => tellRepairFinding(finding, output);
  const result = await repository.repairIndex({ readAllPacks, onFinding }, signal);
  output.json({ message_type: 'summary', ...result });
  const { packsAdded, packsForgotten, filesReplaced, damagedPacks } = result;
  if (packsAdded + packsForgotten + filesReplaced === 0) {
    output.note('the index was right: nothing was changed');
    return;
  }
  output.note(
    output.style('green', 'the index is right again') +
      `: read ${count(packsAdded, 'pack')}, forgot ${packsForgotten}, replaced ${count(filesReplaced, 'index file')}`,
  );
  if (damagedPacks.length > 0) output.note(`now run: respaldo repair packs ${damagedPacks.join(' ')}`);
  else if (packsForgotten > 0) output.note(SNAPSHOTS_NEXT);
}

const SNAPSHOTS_NEXT =
  'now run `respaldo backup`, which stores again what the source still has; then `respaldo repair snapshots --forget`';

function definePacks(command: Command, invocation: Invocation): void {
  describe(command.command('packs').description('Save what damaged packs still hold'), {
    about:
      'A copy of each pack is kept in the current folder, as pack-ID. What can be read of it is stored in new packs; ' +
      'then the pack is removed from the repository. A pack that cannot be copied is not removed.',
    examples: [['respaldo repair packs 1a2b…', 'a whole id, as check prints it']],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('<id...>', 'whole ids of packs')
    .action((ids: string[]) => withRepository(invocation, (repository) => repairPacks(repository, ids, invocation)));
}

async function repairPacks(
  repository: Repository,
  ids: readonly string[],
  { output, signal }: Invocation,
): Promise<void> {
  const { copiesIn } = await import('../../operations/pack-copies.ts');
  const keep = copiesIn(process.cwd());
  const keepCopy = async (id: string, bytes: Uint8Array): Promise<void> => {
    await keep(id, bytes);
    output.note(`kept a copy: pack-${id}`);
  };
  const onFinding = (finding: Finding): void => tellRepairFinding(finding, output);
  const result = await repository.repairPacks(ids, { keepCopy, onFinding }, signal);
  output.json({ message_type: 'summary', ...result });
  const { packs, saved, lost } = result;
  output.note(
    `${output.style('green', `took ${count(packs, 'pack')} out of the repository`)}: ` +
      `saved ${count(saved, 'blob')}, could not read ${lost.toLocaleString('en-US')}`,
  );
  if (lost > 0) output.note(SNAPSHOTS_NEXT);
}

function defineSnapshots(command: Command, invocation: Invocation): void {
  const snapshots = command.command('snapshots').description('Leave out of snapshots what is lost');
  describe(snapshots, {
    about:
      'Makes a new snapshot of each that needs something that is lost: files without the content that is missing, and ' +
      'empty folders for those that cannot be read. It is tagged incomplete. Back up first: what the source still ' +
      'has need not be lost. Without ids all snapshots are looked at that --host, --tag and --path select.',
    examples: [
      ['respaldo repair snapshots --dry-run', 'which files are hit?'],
      ['respaldo repair snapshots --forget', 'and drop the damaged ones'],
    ],
    exits: [...REPOSITORY_EXITS],
  }).argument('[id...]', 'only these: ids, their beginnings, or latest; a record that cannot be read by its whole id');
  addSelectOptions(addRewriteOptions(snapshots)).action((ids: string[], options: RewriteFlags) =>
    withRepository(invocation, (repository) =>
      runRewrite(
        options,
        invocation,
        (rewriting) => repository.repairSnapshots(filterOf(options, ids), rewriting, invocation.signal),
        tellRepairFinding,
      ),
    ),
  );
}
