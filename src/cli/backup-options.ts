/** The options of `respaldo backup`: what they are called, and what they mean together. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { BackupFlags } from '../config/plans.ts';
import type { FolderMark } from '../domain/entry.ts';
import { parseFolderMark } from '../domain/folder-mark.ts';
import type { WantedType } from '../domain/plan.ts';
import type { RuntimeTarget } from '../domain/runtime-target.ts';
import { nameComplaint, nameTag } from '../domain/snapshot-name.ts';
import { BY_HOST_AND_PATHS, type GroupBy } from '../domain/snapshot-group.ts';
import { parseSize } from '../domain/size.ts';
import { RespaldoError } from '../errors.ts';
import { groupBy } from './group-by.ts';
import { positive } from './number.ts';
import { addExcludeOptions, excludesOf, type ExcludeOptions } from './pattern-options.ts';
import { collect } from './select.ts';
import { addRuntimeOptions, runtimeTarget, type RuntimeOptions } from './runtime-options.ts';
import { parseTime } from './time.ts';

/** As commander hands them over. */
export interface BackupOptions extends ExcludeOptions, RuntimeOptions {
  readonly type?: WantedType;
  readonly tag: readonly string[];
  readonly host?: string;
  readonly time?: Date;
  readonly parent?: string;
  readonly groupBy: GroupBy;
  readonly force?: boolean;
  readonly full?: boolean;
  readonly name?: string;
  readonly overwrite?: boolean;
  readonly excludeIfPresent: readonly FolderMark[];
  readonly excludeLargerThan?: number;
  readonly excludeCaches?: boolean;
  readonly oneFileSystem?: boolean;
  readonly filesFrom: readonly string[];
  readonly filesFromVerbatim: readonly string[];
  readonly filesFromRaw: readonly string[];
  readonly stdin?: boolean;
  readonly stdinFilename: string;
  readonly stdinFromCommand?: boolean;
  readonly ignoreInode?: boolean;
  readonly ignoreCtime?: boolean;
  readonly withAtime?: boolean;
  readonly readConcurrency?: number;
  /** False: `--no-scan`. */
  readonly scan: boolean;
  readonly skipIfUnchanged?: boolean;
  readonly acceptDamagedPages?: boolean;
  readonly dryRun?: boolean;
  readonly all?: boolean;
  readonly jobs?: number;
}

export function addBackupOptions(command: Command): Command {
  command
    .addOption(
      new Option('--type <type>', 'what is read again').choices(['auto', 'full', 'differential', 'incremental']),
    )
    .option('--tag <tag,…>', 'mark the snapshot (repeatable)', collect, [])
    .option('-H, --host <name>', 'record this host; default: this one (RESPALDO_HOST)')
    .option('--time <time>', 'record this time: "2025-01-31 07:05:09"', parseTime)
    .option('--parent <snapshot>', 'compare with this snapshot, not with the last one')
    .option('-g, --group-by <what>', 'the last one of what: host,paths,tags', groupBy, BY_HOST_AND_PATHS)
    .option('-f, --force', 'read everything again: the same as --type full')
    .option('--full', 'the same')
    .option('--name <name>', 'name the snapshot: restore, ls … then take the name for its id', parseName)
    .option(
      '--overwrite',
      'drop the snapshot that has the name, or take its name if it is needed, once this one is complete',
    );
  addExcludeOptions(command)
    .option('--exclude-if-present <mark>', 'leave out what lies beside such a file: name[:header]', collectMarks, [])
    .option('--exclude-larger-than <size>', 'leave out larger files: 500M, 2G', parseLimit)
    .option('--exclude-caches', 'leave out folders marked by a CACHEDIR.TAG')
    .option('-x, --one-file-system', 'do not cross into other file systems')
    .option('--files-from <file>', 'what to back up: patterns, one a line; - is standard input', collect, [])
    .option('--files-from-verbatim <file>', 'the same: names as they are, one a line', collect, [])
    .option('--files-from-raw <file>', 'the same: names that a zero byte ends (find -print0)', collect, []);
  return addRuntimeOptions(command)
    .option('--stdin', 'store what comes from standard input')
    .option('--stdin-from-command', 'store what the command prints that the arguments are')
    .option('--stdin-filename <name>', 'its name in the snapshot; default: stdin', 'stdin')
    .option('--ignore-inode', 'take files for unchanged that differ in inode and time of change')
    .option('--ignore-ctime', 'take files for unchanged that differ in time of change')
    .option('--with-atime', 'store when files were last read')
    .option('--read-concurrency <n>', 'read so many files at once; default: one a processor, up to 4', positive)
    .option('--no-scan', 'do not count ahead how much there is')
    .option('--skip-if-unchanged', 'take no snapshot that would be like the one compared with')
    .option('--accept-damaged-pages', 'store a database (PostgreSQL, SQLite) although it is damaged, as incomplete')
    .option('-a, --all', 'every plan of respaldo.yaml, due or not')
    .option('-j, --jobs <n>', 'back up so many plans at once; default: 2', positive)
    .option('-n, --dry-run', 'read everything, store nothing');
}

/**
 * @param runtime where the tools run; absent: as the options say.
 * @throws RespaldoError `usage` for what contradicts itself, and as {@link excludesOf}
 */
export async function flagsOf(
  options: BackupOptions,
  runtime: RuntimeTarget | undefined = runtimeTarget(options),
): Promise<BackupFlags> {
  const { force = false, full = false, type, name, overwrite = false } = options;
  if ((force || full) && type !== undefined && type !== 'full')
    throw contradiction(force ? '--force' : '--full', `--type ${type}`);
  if (overwrite && name === undefined)
    throw new RespaldoError('usage', '--overwrite is for a snapshot that has a name', { hint: 'Give --name, too.' });
  const wanted = force || full ? 'full' : type;
  const { patterns, ignoringCase } = await excludesOf(options);
  const { excludeLargerThan, excludeIfPresent, readConcurrency } = options;
  return {
    ...(runtime && { runtime }),
    ...(wanted !== undefined && { type: wanted }),
    tags: [
      ...options.tag.flatMap((list) => list.split(',')).filter((tag) => tag !== ''),
      ...(name === undefined ? [] : [nameTag(name)]),
    ],
    selection: {
      exclude: patterns,
      iexclude: ignoringCase,
      oneFileSystem: options.oneFileSystem ?? false,
      excludeCaches: options.excludeCaches ?? false,
      excludeIfPresent,
      ...(excludeLargerThan !== undefined && { excludeLargerThan }),
    },
    reading: readingOf(options),
    skipIfUnchanged: options.skipIfUnchanged ?? false,
    ...(readConcurrency !== undefined && { readConcurrency }),
    acceptDamagedPages: options.acceptDamagedPages ?? false,
  };
}

/** Only what is given, so that it does not take back what a plan says. */
function readingOf({ ignoreInode, ignoreCtime, withAtime }: BackupOptions): BackupFlags['reading'] {
  return {
    ...(ignoreInode !== undefined && { ignoreInode }),
    ...(ignoreCtime !== undefined && { ignoreCtime }),
    ...(withAtime !== undefined && { withAtime }),
  };
}

/** @throws RespaldoError `usage` if a stream and something else are to be backed up together, or nothing to be run. */
export function requireOneSubject(args: readonly string[], options: BackupOptions): void {
  const { stdin = false, stdinFromCommand = false, filesFrom, filesFromVerbatim, filesFromRaw } = options;
  const stream = stdinFromCommand ? '--stdin-from-command' : '--stdin';
  const lists = {
    '--files-from': filesFrom,
    '--files-from-verbatim': filesFromVerbatim,
    '--files-from-raw': filesFromRaw,
  };
  const given = Object.entries(lists).filter(([, files]) => files.length > 0);
  if (given.flatMap(([, files]) => files).filter((file) => file === '-').length > 1)
    throw new RespaldoError('usage', 'standard input can be only one list', { hint: 'Put the others into files.' });
  if (!stdin && !stdinFromCommand) return;
  for (const [option] of given) throw contradiction(stream, option);
  if (stdin && !stdinFromCommand && args.length > 0)
    throw new RespaldoError('usage', `--stdin takes no plans and addresses, but ${args.join(' ')} was given`, {
      hint: 'Name the file by --stdin-filename; back up the rest by a command of its own.',
    });
  if (stdinFromCommand && args.length === 0)
    throw new RespaldoError('usage', '--stdin-from-command: no command was given', {
      hint: 'Put it behind two dashes: respaldo backup --stdin-from-command -- pg_dump shop',
    });
}

function contradiction(one: string, other: string): RespaldoError {
  return new RespaldoError('usage', `${one} and ${other} contradict each other`, { hint: 'Give one of them.' });
}

function collectMarks(text: string, before: readonly FolderMark[]): readonly FolderMark[] {
  const mark = parseFolderMark(text);
  if (mark === undefined) throw new InvalidArgumentError('Write it as NAME or NAME:HEADER, such as .nobackup.');
  return [...before, mark];
}

function parseName(text: string): string {
  const complaint = nameComplaint(text);
  if (complaint !== undefined) throw new InvalidArgumentError(`Choose another one: ${complaint}.`);
  return text;
}

function parseLimit(text: string): number {
  const size = parseSize(text);
  if (size === undefined) throw new InvalidArgumentError('Write it as 500, 10K, 500M, 2G or 1T.');
  return size;
}
