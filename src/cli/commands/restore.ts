import path from 'node:path';
import { Option, type Command } from 'commander';
import { hostRuntime, sourceKinds } from '../../compose.ts';
import { RespaldoError } from '../../errors.ts';
import { expectRestore } from '../../operations/expectation.ts';
import { isVolumeTarget } from '../../operations/restore-volume.ts';
import { recorded, type Recorder } from '../../operations/recording.ts';
import {
  planRestore,
  restore,
  type RestoreOutcome,
  type RestorePlan,
  type RestorePorts,
  type RestoreRequest,
} from '../../operations/restore.ts';
import type { OverwritePolicy, Repository, RestoredItem } from '../../repository/repository.ts';
import { askPlace, findOrChoose, requireReference, type ChosenSnapshot, type Place } from '../choose-snapshot.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import {
  addExcludeOptions,
  addIncludeOptions,
  excludesOf,
  includesOf,
  type ExcludeOptions,
  type GivenPatterns,
  type IncludeOptions,
} from '../pattern-options.ts';
import { canAsk, confirm, notRestored } from '../prompt.ts';
import { runtimeTarget } from '../runtime-options.ts';
import {
  addServerOptions,
  restoreFileToServer,
  restoreSnapshotToServer,
  type ServerOptions,
} from '../server-restore.ts';
import { showProgress } from '../progress.ts';
import { addSelectOptions, collect, type SelectOptions } from '../select.ts';
import { withRecorder, withRepository } from '../session.ts';
import { tellFinding } from '../views/finding.ts';
import { restoreSnapshotToVolume, type VolumeWish } from '../volume-restore.ts';
import { tellRestoredItem, tellsRestoredItems } from '../views/restored-item.ts';
import { planLines, restoredLine, restoreMessage, restoreProgress } from '../views/restore.ts';

interface Options extends SelectOptions, IncludeOptions, ExcludeOptions, ServerOptions {
  readonly target?: string;
  readonly includeXattr: readonly string[];
  readonly excludeXattr: readonly string[];
  readonly delete?: boolean;
  readonly sparse?: boolean;
  readonly verify?: boolean;
  readonly overwrite?: OverwritePolicy;
  readonly raw?: boolean;
}

/** `isChosen`: from a list, at the terminal, so that it takes a yes. */
type ChosenOptions = Options & { readonly isChosen: boolean };

export function define(command: Command, invocation: Invocation): void {
  const described = describe(command, {
    about:
      'Every byte is verified while it is restored. Without --overwrite or --delete the target must be missing, empty, or hold an unfinished ' +
      'restore of the same snapshot, which is then completed. The files of a database become what ' +
      'its server starts on, checked. With --to a dump goes into a running server: into a new database that is compared with ' +
      'what was dumped, and only then takes the place of one that is there.',
    examples: [
      ['respaldo restore', 'at a terminal: choose what and where to'],
      ['respaldo restore latest --target ./restored', 'everything'],
      ['respaldo restore latest:/etc/ssl --target ./ssl', 'what lies in one folder, without the folders above it'],
      ['respaldo restore 1a2b3c4d --target ./r --include "*.conf"', 'only some files'],
      ['respaldo restore latest --target / --overwrite if-changed', 'back in place'],
      ['respaldo restore latest:/srv --target /srv --delete', 'exactly as it was: what came later goes'],
      ['respaldo restore latest --target ./restored --dry-run -v', 'what would it do?'],
      ['respaldo restore latest --to postgresql://postgres@localhost/', 'dumped databases, where they were'],
      ['respaldo restore latest:shop --to postgresql://postgres@localhost/copy', 'one of them, under another name'],
      ['respaldo restore latest --to mysql://root@db2/ --until "2025-01-31 07:05:09"', 'a dump, then the log'],
      ['respaldo restore latest --to docker-volume:shop_data', 'a volume of Docker, new or empty'],
      ['respaldo restore --file shop.sql.gz --to postgresql://postgres@localhost/shop', 'a dump of another tool'],
    ],
    exits: [3, ...REPOSITORY_EXITS],
  })
    .argument(
      '[snapshot]',
      'an id, its beginning, or latest; with :/folder a part of it. Without it you choose from a list',
    )
    .option('-t, --target <folder>', 'where to restore to');
  addExcludeOptions(addIncludeOptions(addServerOptions(described)))
    .addOption(
      new Option('--overwrite <when>', 'what to do with files that exist in the target').choices([
        'always',
        'if-changed',
        'if-newer',
        'never',
      ]),
    )
    .option('--delete', 'remove from the target what the snapshot does not hold, as far as the patterns go')
    .option('--sparse', 'leave holes where files hold nothing but zeros')
    .option('--verify', 'read the files back, and compare them with the snapshot')
    .option('--include-xattr <pattern>', 'restore only such extended attributes (repeatable)', collect, [])
    .option('--exclude-xattr <pattern>', 'leave out such extended attributes (repeatable)', collect, [])
    .option('--raw', "a database's files as they are stored, not made usable")
    .option('-n, --dry-run', 'show what would be done')
    .option('-y, --yes', 'ask nothing');
  addSelectOptions(described).action(async (reference: string | undefined, options: Options) => {
    const { to, file } = options;
    if (file !== undefined) {
      await restoreFileToServer(file, requireAddress(to, reference), options, invocation);
      return;
    }
    requireReference(reference, invocation);
    const given = placeOf(options, invocation);
    await withRepository(
      invocation,
      async (repository) => {
        const chosen = await findOrChoose(repository, reference, options, invocation);
        const place = given ?? (await askPlace(invocation.signal));
        const isChosen = reference === undefined || given === undefined;
        await ('folder' in place
          ? run(repository, chosen, place.folder, { ...options, isChosen }, invocation)
          : isVolumeTarget(place.address, await sourceKinds())
            ? restoreSnapshotToVolume(repository, volumeWish(chosen, place.address, options), invocation)
            : restoreSnapshotToServer(repository, chosen, place.address, { ...options, isChosen }, invocation));
      },
      given !== undefined && 'folder' in given ? 'restore' : undefined,
    );
  });
}

/** @throws RespaldoError `usage` for what only folders or servers can be asked. */
function volumeWish(chosen: ChosenSnapshot, address: string, options: Options): VolumeWish {
  const { include, iinclude, includeFile, iincludeFile, exclude, iexclude, excludeFile, iexcludeFile } = options;
  const files = [includeFile, iincludeFile, excludeFile, iexcludeFile, options.includeXattr, options.excludeXattr];
  const patterns = [include, iinclude, exclude, iexclude, ...files].some(({ length }) => length > 0);
  const { overwrite, sparse, verify, raw, inPlace, disconnect, createRoles, keepOld, until, dryRun = false } = options;
  const ofServers = [inPlace, disconnect, createRoles, keepOld, options.dropUnfinished, until];
  const others = [overwrite, options.delete, sparse, verify, raw, ...ofServers];
  if (patterns || others.some((given) => given !== undefined))
    throw new RespaldoError('usage', 'a volume is restored as a whole, and takes only --dry-run', {
      hint: 'Name a part of the snapshot, latest:/_data/folder, or restore into a folder by --target.',
    });
  return { ...chosen, address, dryRun };
}

function requireAddress(to: string | undefined, reference: string | undefined): string {
  if (reference !== undefined)
    throw new RespaldoError('usage', '--file and a snapshot exclude each other', { hint: 'Give one of them.' });
  if (to !== undefined) return to;
  throw new RespaldoError('usage', '--file needs --to: the server and the database that it is restored into', {
    hint: 'Add --to postgresql://user@host/database',
  });
}

/** Where to: a folder or a server; undefined where somebody can be asked. */
function placeOf(options: Options, { output }: Invocation): Place | undefined {
  const { to, target, until } = options;
  if (until !== undefined && to === undefined)
    throw new RespaldoError('usage', '--until needs --to: a log is replayed on a running server', {
      hint: 'For the files of a server: restore them by --target, start it, then --to its address with --until.',
    });
  if (to !== undefined && target !== undefined)
    throw new RespaldoError('usage', '--target and --to exclude each other', {
      hint: '--target restores files into a folder, --to databases into a server.',
    });
  if (target !== undefined) {
    if (runtimeTarget(options) !== undefined)
      throw new RespaldoError('usage', '--target is a folder of this host: it takes no container and no pod', {
        hint: 'Restore into the server that runs there: --to postgresql:///database',
      });
    return { folder: target };
  }
  if (to !== undefined) return { address: to };
  if (canAsk(output)) return undefined;
  throw new RespaldoError('usage', 'it is not said where to restore to: --target <folder>, or --to <address>', {
    hint: 'See `respaldo restore --help`.',
  });
}

async function run(
  repository: Repository,
  chosen: ChosenSnapshot,
  target: string,
  options: ChosenOptions,
  invocation: Invocation,
): Promise<void> {
  const { output, clock, signal } = invocation;
  const request = await requestOf(chosen, target, options);
  const ports = { repository, runtime: await hostRuntime(), kinds: await sourceKinds() };
  const plan = await planRestore(request, ports, signal);
  await withRecorder(invocation, async (recorder) => {
    const expected = await expectRestore(recorder.catalog, request.target, plan.selected.bytes);
    for (const line of planLines(plan, expected)) output.note(line);
    await requireConsent(plan, options, invocation);

    const startedAt = clock.monotonic();
    const outcome = await carryOut(plan, ports, recorder, invocation);
    tell(outcome, plan, clock.monotonic() - startedAt, invocation);
  });
}

async function requestOf(
  { snapshot, path: part }: ChosenSnapshot,
  target: string,
  options: Options,
): Promise<RestoreRequest> {
  const { raw, dryRun = false, sparse, verify } = options;
  const includes = await includesOf(options);
  const excludes = await excludesOf(options);
  requireSense(target, options, includes, excludes);
  const overwrite = options.overwrite ?? (options.delete === true ? 'always' : undefined);
  return {
    snapshot,
    target: path.resolve(target),
    include: includes.patterns,
    iinclude: includes.ignoringCase,
    exclude: excludes.patterns,
    iexclude: excludes.ignoringCase,
    dryRun,
    ...(options.delete === true && { delete: true }),
    ...(sparse === true && { sparse }),
    ...(verify === true && { verify }),
    ...attributesOf(options),
    ...(part !== undefined && { path: part }),
    ...(overwrite !== undefined && { overwrite }),
    ...(raw !== undefined && { raw }),
  };
}

/** @throws RespaldoError `usage` for options that contradict each other */
function requireSense(target: string, options: Options, includes: GivenPatterns, excludes: GivenPatterns): void {
  const [some, others] = [includes, excludes].map(
    ({ patterns, ignoringCase }) => patterns.length + ignoringCase.length,
  );
  const refuse = (message: string, hint: string): never => {
    throw new RespaldoError('usage', message, { hint });
  };
  if (some !== 0 && others !== 0) refuse('--include and --exclude exclude each other', 'Give one of them.');
  if (options.includeXattr.length > 0 && options.excludeXattr.length > 0)
    refuse('--include-xattr and --exclude-xattr exclude each other', 'Give one of them.');
  if (options.dryRun === true && options.verify === true)
    refuse('--dry-run and --verify exclude each other', 'A dry run writes nothing that could be read back.');
  if (options.delete === true && path.resolve(target) === '/' && some === 0 && others === 0)
    refuse('--delete would empty this machine: the target is /', 'Say by --include or --exclude what is meant.');
}

function attributesOf({ includeXattr, excludeXattr }: Options): Pick<RestoreRequest, 'attributes'> {
  if (includeXattr.length > 0) return { attributes: { include: includeXattr } };
  return excludeXattr.length > 0 ? { attributes: { exclude: excludeXattr } } : {};
}

/** Files that exist are replaced only after a yes, where there is somebody to ask, and so is what was chosen there. */
async function requireConsent(
  { request, target }: RestorePlan,
  options: ChosenOptions,
  invocation: Invocation,
): Promise<void> {
  const { output, signal } = invocation;
  const changes = request.delete === true || (request.overwrite !== undefined && request.overwrite !== 'never');
  const replaces = changes && target.entries > 0;
  if (request.dryRun || options.yes === true || !canAsk(output) || !(replaces || options.isChosen)) return;
  const what = request.delete === true ? 'replace and delete' : 'replace';
  const question = replaces ? `${request.target} is not empty: ${what} what is in it?` : 'Restore it?';
  if (!(await confirm(question, signal))) throw notRestored();
}

function carryOut(
  plan: RestorePlan,
  ports: Pick<RestorePorts, 'repository' | 'runtime' | 'kinds'>,
  recorder: Recorder,
  invocation: Invocation,
): Promise<RestoreOutcome> {
  const { output, clock, signal } = invocation;
  const work = async (): Promise<RestoreOutcome> => {
    using progress = showProgress(output, clock, restoreProgress);
    return await restore(
      plan,
      {
        ...ports,
        onProgress: progress.update,
        ...(tellsRestoredItems(output, plan.request.dryRun) && {
          onItem: (item: RestoredItem) => tellRestoredItem(item, output),
        }),
        onFinding: (finding) => tellFinding(finding, 'restore', output),
      },
      signal,
    );
  };
  if (plan.request.dryRun) return work();
  const run = { operation: 'restore', subject: plan.request.target, repository: ports.repository.location } as const;
  return recorded(run, recorder, work, ({ state, progress }) => ({
    state,
    snapshot: plan.request.snapshot.id,
    bytesProcessed: progress.bytesRestored,
  }));
}

function tell({ state, progress }: RestoreOutcome, plan: RestorePlan, elapsed: number, invocation: Invocation): void {
  const { output, exit } = invocation;
  output.json(restoreMessage(progress, elapsed));
  output.note(restoredLine(progress, plan, elapsed));
  if (state === 'succeeded') return;
  exit(3);
  output.jsonError({ message_type: 'exit_error', code: 3, message: 'something could not be restored' });
  output.alarm('restored, but not everything: see above');
}
