import type { Command } from 'commander';
import { createArchives, type ArchiveCreateOptions } from '../archive-create.ts';
import { forgetArchived, type ArchiveForgetOptions } from '../archive-forget.ts';
import { addArchiveOptions, addKeyOptions, OpenArchives, type ArchiveOptions } from '../archive-options.ts';
import { restoreArchived, type ArchiveRestoreOptions } from '../archive-restore.ts';
import { verifyArchives } from '../archive-verify.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { addRuntimeOptions } from '../runtime-options.ts';
import { collect } from '../select.ts';
import { addTargetServerOptions, untilOption } from '../server-restore.ts';
import { archiveTable, listingMessage } from '../views/archive.ts';

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'An archive of respaldo.yaml holds a portable file for each database or folder, and beside it a manifest that ' +
      'tells how it was made and how it is restored without Respaldo. Plans with `archives:` write them.',
    examples: [
      ['respaldo archive list', 'what is there, in all archives'],
      ['respaldo archive verify latest', 'decrypt, decompress, compare checksums'],
      ['respaldo archive create latest --plan shop', 'of a snapshot, where an archive lacks it'],
      ['respaldo archive forget --dry-run', 'what the rules of plans do not keep'],
      ['respaldo archive restore latest --database shop --target ./restored', 'a dump, or a folder'],
    ],
    exits: [12, 130],
  });
  defineList(command.command('list').description('List the files of archives'), invocation);
  defineCreate(command.command('create').description('Write a snapshot of a repository into archives'), invocation);
  defineVerify(command.command('verify').description('Decrypt and check files without writing anything'), invocation);
  defineForget(
    command.command('forget').description('Remove the files that the rules of plans do not keep'),
    invocation,
  );
  defineRestore(command.command('restore').description('Restore a file into a folder or a server'), invocation);
}

function defineList(command: Command, invocation: Invocation): void {
  describe(command, {
    about: 'From the manifests, without reading the files themselves. One that is gone or has another size is told.',
    examples: [
      ['respaldo archive list', 'all archives'],
      ['respaldo archive list --archive offsite --plan shop', 'of one plan, in one archive'],
      ['respaldo archive list --archive sftp:backup@host:/srv/archives', 'without respaldo.yaml'],
    ],
    exits: [3, 130],
  });
  addArchiveOptions(command).action(async (options: ArchiveOptions) => {
    await using archives = await OpenArchives.open(options, invocation);
    const { output, exit } = invocation;
    output.json(listingMessage(archives.files));
    output.result(archiveTable(archives.files, output));
    for (const { archive, location } of archives.withoutFiles)
      output.note(`archive ${archive}: there is no such file in ${location}`);
    for (const { archive, error } of archives.problems) output.warn(`archive ${archive}: ${error.message}`);
    if (archives.problems.length > 0) exit(3);
  });
}

function defineCreate(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'The source is not read, and need not be there any more. Each archive of the plan gets what it does not hold of the ' +
      'snapshot yet, so that what failed is made up for by saying it again. The files tell the time of the snapshot, and ' +
      'hold everything: increments are for runs of the plan.',
    examples: [
      ['respaldo archive create latest --plan shop', 'the newest snapshot of the plan'],
      ['respaldo archive create 1a2b3c4d --plan shop --archive offsite', 'an older one, in one archive'],
      ['respaldo archive create latest --plan all --database shop', 'one database of it'],
    ],
    exits: [3, ...REPOSITORY_EXITS],
  });
  command
    .argument('<snapshot>', 'an id, its beginning, or latest')
    .requiredOption('--plan <name>', 'the plan that the snapshot is of')
    .option('-a, --archive <name>', 'an archive of respaldo.yaml (repeatable); default: those of the plan', collect, [])
    .option('--database <name>', 'only this database, or folder')
    .action((snapshot: string, options: ArchiveCreateOptions) => createArchives(snapshot, options, invocation));
}

function defineVerify(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'Reads each file as it lies in the archive, decrypts and decompresses it, and compares the checksums of both with ' +
      'the manifest. Nothing is written. What a wrong or missing key would have to be is told.',
    examples: [
      ['respaldo archive verify', 'every file of every archive'],
      ['respaldo archive verify latest --plan shop', 'the newest of each database of a plan'],
      ['respaldo archive verify --archive offsite --identity key.txt', 'with a secret key of age'],
    ],
    exits: [12, 130],
  });
  addKeyOptions(addArchiveOptions(command))
    .argument('[file...]', 'names, their beginnings, or latest; none: all')
    .action((files: string[], options: ArchiveOptions) => verifyArchives(files, options, invocation));
}

function defineForget(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'By `keep:` or `calendar:` of the plan, for each database or folder in each archive. The newest complete file always ' +
      'stays, what builds upon earlier files keeps them, damaged files are left alone, and nothing goes while the last ' +
      'backup to the archive failed. What goes is shown first.',
    examples: [
      ['respaldo archive forget --dry-run', 'what would go?'],
      ['respaldo archive forget shop --yes', 'of one plan, without a question'],
    ],
    exits: [130],
  });
  addArchiveOptions(command)
    .argument('[plan...]', 'plans of respaldo.yaml; none: all of them')
    .option('-H, --host <name>', 'of backups that recorded this host; default: this one (RESPALDO_HOST)')
    .option('--even-if-failing', 'although backups fail')
    .option('-n, --dry-run', 'show what would go, change nothing')
    .option('-y, --yes', 'ask nothing')
    .action((plans: string[], options: ArchiveForgetOptions) => forgetArchived(plans, options, invocation));
}

function defineRestore(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'The stored bytes are verified first, and the plain ones while they are written. A folder is unpacked into the ' +
      'target, a dump becomes a file in it, or goes into a server as `respaldo restore --file` does. With --until the ' +
      'dumps of one run go into a server of MySQL or MariaDB, and the log that archives hold is replayed from there: all ' +
      'files that it takes are verified first.',
    examples: [
      ['respaldo archive restore latest --plan files --target ./restored', 'a folder'],
      ['respaldo archive restore shop-2026 --target ./restored', 'a dump, as .sql'],
      ['respaldo archive restore latest --database shop --to postgresql://postgres@localhost/shop', 'into a server'],
      [
        'respaldo archive restore latest --plan base --to mysql://root@db2/ --until "2025-01-31 07:05:09"',
        'then the log',
      ],
    ],
    exits: [12, 130],
  });
  addTargetServerOptions(addRuntimeOptions(addKeyOptions(addArchiveOptions(command))))
    .argument('<file>', 'its name, the beginning of it, or latest')
    .option('-t, --target <folder>', 'where to restore to: missing, or empty')
    .addOption(untilOption())
    .option('-n, --dry-run', 'show what would be done')
    .option('-y, --yes', 'ask nothing')
    .action((file: string, options: ArchiveRestoreOptions) => restoreArchived(file, options, invocation));
}
