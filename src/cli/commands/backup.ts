import { Option, type Command } from 'commander';
import { hostRuntime, openSources } from '../../compose.ts';
import { choosePlans, planHint, type BackupFlags } from '../../config/plans.ts';
import type { Plan, WantedType } from '../../domain/plan.ts';
import { isError, RespaldoError, toRespaldoError } from '../../errors.ts';
import { backup, backupsOf, type BackupOutcome, type BackupRequest } from '../../operations/backup.ts';
import { recorded, type Recorder } from '../../operations/recording.ts';
import type { Repository } from '../../repository/repository.ts';
import { report } from '../errors.ts';
import { readExcludeFiles } from '../exclude-file.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import { identity } from '../identity.ts';
import type { Invocation } from '../invocation.ts';
import { OpenRepositories } from '../open-repositories.ts';
import { quoted } from '../printable.ts';
import { showProgress } from '../progress.ts';
import { collect } from '../select.ts';
import { surroundings, withRecorder, type Surroundings } from '../session.ts';
import { parseTime } from '../time.ts';
import { backupLines, backupMessage, backupProgress } from '../views/backup.ts';
import { tellFinding } from '../views/finding.ts';
import { shortId } from '../views/snapshot.ts';

interface Options {
  readonly type?: WantedType;
  readonly tag: readonly string[];
  readonly host?: string;
  readonly time?: Date;
  readonly parent?: string;
  readonly force?: boolean;
  readonly exclude: readonly string[];
  readonly excludeFile: readonly string[];
  readonly excludeCaches?: boolean;
  readonly oneFileSystem?: boolean;
  readonly acceptDamagedPages?: boolean;
  readonly dryRun?: boolean;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'An address is a folder or file, or a PostgreSQL server: postgresql://user@host:5432/?method=physical. A ' +
      'plan is a name in respaldo.yaml; without arguments every plan is run. What could not be read is told, the ' +
      'rest is stored, and the snapshot is marked incomplete.',
    examples: [
      ['respaldo backup ./folder', 'only what changed since the last snapshot is read'],
      ['respaldo backup --exclude "*.tmp" -x /home', 'without some files, on one file system'],
      ['respaldo backup --type full shop', 'a plan, everything read again'],
      ['respaldo backup "postgresql://backup@db1/?method=physical"', 'a PostgreSQL server'],
      ['respaldo backup -n -v ./folder', 'what would it do?'],
    ],
    exits: [3, ...REPOSITORY_EXITS],
  })
    .argument('[plan|address...]', 'plans of respaldo.yaml, folders, databases')
    .addOption(
      new Option('--type <type>', 'what is read again').choices(['auto', 'full', 'differential', 'incremental']),
    )
    .option('--tag <tag,…>', 'mark the snapshot (repeatable)', collect, [])
    .option('-H, --host <name>', 'record this host; default: this one')
    .option('--time <time>', 'record this time: "2025-01-31 07:05:09"', parseTime)
    .option('--parent <snapshot>', 'compare with this snapshot, not with the last one')
    .option('-f, --force', 'read everything again: the same as --type full')
    .option('-e, --exclude <pattern>', 'leave out what matches (repeatable)', collect, [])
    .option('--exclude-file <file>', 'patterns from a file, one a line (repeatable)', collect, [])
    .option('--exclude-caches', 'leave out folders marked by a CACHEDIR.TAG')
    .option('-x, --one-file-system', 'do not cross into other file systems')
    .option('--accept-damaged-pages', 'PostgreSQL: store what the server found damaged, as incomplete')
    .option('-n, --dry-run', 'read everything, store nothing')
    .action((args: string[], options: Options) => run(invocation, args, options));
}

async function run(invocation: Invocation, args: readonly string[], options: Options): Promise<void> {
  const around = await surroundings(invocation);
  const plans = choosePlans(args, await flagsOf(options), around.config, around.workingDirectory);
  await using repositories = new OpenRepositories(invocation, around);
  await withRecorder(invocation, async (recorder) => {
    const failures: RespaldoError[] = [];
    for (const plan of plans) {
      try {
        await backUp(plan, options, { invocation, around, repositories, recorder });
      } catch (error) {
        const failure = withPlanHint(toRespaldoError(error), plan, around);
        if (plans.length === 1 || invocation.signal.aborted) throw failure;
        report(failure, invocation.output, invocation.signal);
        failures.push(failure);
      }
    }
    if (failures[0] !== undefined) throw summaryOf(failures[0], failures.length, plans.length);
  });
}

interface Scene {
  readonly invocation: Invocation;
  readonly around: Surroundings;
  readonly repositories: OpenRepositories;
  readonly recorder: Recorder;
}

/** One plan: a snapshot of each of its sources. */
async function backUp(plan: Plan, options: Options, scene: Scene): Promise<void> {
  const { invocation, around, repositories, recorder } = scene;
  const { username, hostname } = identity();
  const sources = await openSources(plan, around.readSecret, invocation.signal);
  const repository = await repositories.of(plan);
  const circumstances = { username, hostname: options.host ?? hostname, dryRun: options.dryRun ?? false };
  for (const request of backupsOf(plan, sources, circumstances)) {
    const subject = plan.name ?? request.source.paths.join(', ');
    const work = (): Promise<BackupOutcome> => backUpOne(request, repository, options, invocation);
    if (request.dryRun) {
      tell(await work(), invocation);
      continue;
    }
    const outcome = await recorded(
      { operation: 'backup', subject, repository: repository.location, type: request.type },
      recorder,
      work,
      ({ state, snapshot, summary }) => ({
        state,
        ...(snapshot && { snapshot: snapshot.id }),
        bytesProcessed: summary.totalBytesProcessed,
        bytesAdded: summary.dataAddedPacked,
      }),
    );
    tell(outcome, invocation);
  }
}

async function backUpOne(
  request: BackupRequest,
  repository: Repository,
  { time, parent }: Options,
  { output, clock, signal }: Invocation,
): Promise<BackupOutcome> {
  using progress = showProgress(output, clock, backupProgress());
  const compareWith = parent === undefined ? undefined : await repository.find(parent, {}, signal);
  return await backup(
    { ...request, ...(compareWith && { parent: compareWith }) },
    {
      repository,
      runtime: await hostRuntime(),
      clock: time === undefined ? clock : { ...clock, now: () => time },
      onDecision: ({ type, parent: base, reason }) => {
        const what = request.source.paths.map(quoted).join(', ');
        const against = base === undefined ? '' : `, compared with ${shortId(base.id)}`;
        output.note(`backing up ${what}: ${type}${against} (${reason})`);
      },
      ...(progress.shown && { onProgress: progress.update }),
      onFinding: (finding) => tellFinding(finding, 'archival', output),
    },
    signal,
  );
}

function tell({ state, snapshot, summary }: BackupOutcome, { output, exit }: Invocation): void {
  output.json(backupMessage(summary, snapshot?.id));
  for (const line of backupLines(summary, snapshot === undefined)) output.note(`  ${line}`);
  const incomplete = state === 'incomplete' ? output.style('yellow', ', but it is incomplete') : '';
  if (snapshot === undefined) output.note('a dry run: nothing was stored');
  else output.note(`${output.style('green', `snapshot ${shortId(snapshot.id)} saved`)}${incomplete}`);
  if (state === 'incomplete') {
    exit(3);
    output.jsonError({ message_type: 'exit_error', code: 3, message: 'at least one source file could not be read' });
  }
}

async function flagsOf(options: Options): Promise<BackupFlags> {
  const { force = false, type } = options;
  if (force && type !== undefined && type !== 'full')
    throw new RespaldoError('usage', `--force and --type ${type} contradict each other`, { hint: 'Give one of them.' });
  const wanted = force ? 'full' : type;
  return {
    ...(wanted !== undefined && { type: wanted }),
    tags: options.tag.flatMap((list) => list.split(',')).filter((tag) => tag !== ''),
    exclude: [...options.exclude, ...(await readExcludeFiles(options.excludeFile))],
    oneFileSystem: options.oneFileSystem ?? false,
    excludeCaches: options.excludeCaches ?? false,
    acceptDamagedPages: options.acceptDamagedPages ?? false,
  };
}

/** What does not exist as a folder may have been meant as a plan. */
function withPlanHint(error: RespaldoError, plan: Plan, { config }: Surroundings): RespaldoError {
  if (plan.name !== undefined || !isError(error, 'source-missing')) return error;
  const hint = plan.sources.map(({ address }) => planHint(address, config)).find((text) => text !== undefined);
  return hint === undefined ? error : new RespaldoError(error.code, error.message, { hint, cause: error });
}

function summaryOf(first: RespaldoError, failed: number, all: number): RespaldoError {
  return new RespaldoError(first.code, `${failed} of ${all} plans failed`, { cause: first });
}
