import path from 'node:path';
import { hostRuntime, openFolder, sourceKinds } from '../compose.ts';
import { RespaldoError } from '../errors.ts';
import { chosenFiles, filtered, type FoundFile } from '../operations/archive-files.ts';
import {
  archivedDump,
  plainName,
  planArchiveRestore,
  restoreArchivedFile,
  type ArchiveRestorePlan,
} from '../operations/archive-restore.ts';
import { recorded } from '../operations/recording.ts';
import type { SourceKind } from '../sources/source.ts';
import { accountsBeside } from './archive-accounts.ts';
import { OpenArchives, type ArchiveOptions } from './archive-options.ts';
import { restorePointInTime } from './archive-point-in-time.ts';
import type { Invocation } from './invocation.ts';
import { quoted } from './printable.ts';
import { showProgress } from './progress.ts';
import { runtimeTarget } from './runtime-options.ts';
import { restoreDumpToServer, type ServerOptions } from './server-restore.ts';
import { withRecorder } from './session.ts';
import { formatBytes, formatDuration } from './units.ts';
import { archiveTitle, readingProgress, restoreMessage, restorePlanLines } from './views/archive.ts';
import { tellFinding } from './views/finding.ts';

export interface ArchiveRestoreOptions extends ArchiveOptions, ServerOptions {
  readonly target?: string;
}

/** Restores one file of an archive. */
export async function restoreArchived(
  reference: string,
  options: ArchiveRestoreOptions,
  invocation: Invocation,
): Promise<void> {
  const { target, to } = options;
  requireOnePlace(options);
  if (options.until !== undefined) {
    await restorePointInTime(reference, { ...options, until: options.until }, invocation);
    return;
  }
  // What lies beside a database is called otherwise.
  const { database: _database, ...everything } = options;
  await using archives = await OpenArchives.open(everything, invocation);
  const file = onlyOne(chosenFiles(filtered(archives.files, options), [reference]));
  if (target !== undefined) await intoFolder(file, path.resolve(target), archives, options, invocation);
  else if (to !== undefined) await intoServer(file, to, archives, options, invocation);
}

function requireOnePlace({ target, to, ...options }: ArchiveRestoreOptions): void {
  if (options.until !== undefined && to === undefined)
    throw new RespaldoError('usage', '--until needs --to: a log is replayed on a running server', {
      hint: 'For the files of a server: restore them by --target, start it, then --to its address with --until.',
    });
  if ((target === undefined) === (to === undefined))
    throw new RespaldoError(
      'usage',
      target === undefined ? 'it is not said where to restore to' : '--target and --to exclude each other',
      {
        hint: 'Give one of them: --target <folder>, or --to <address> of a server.',
      },
    );
  if (target !== undefined && runtimeTarget(options) !== undefined)
    throw new RespaldoError('usage', '--target is a folder of this host: it takes no container and no pod', {
      hint: 'Restore into the server that runs there: --to postgresql:///database',
    });
}

/** Several archives may have the same file: any of them will do. What holds no database has to be named. */
function onlyOne(all: readonly FoundFile[]): FoundFile {
  const databases = all.filter(({ manifest }) => manifest.facts['holds'] === undefined);
  const files = databases.length > 0 ? databases : all;
  const [first, ...others] = files.toSorted((a, b) => Number(b.state === 'whole') - Number(a.state === 'whole'));
  if (first === undefined) throw new RespaldoError('internal', 'no file was chosen');
  const differs = others.find(({ manifest }) => manifest.plain.sha256 !== first.manifest.plain.sha256);
  if (differs === undefined) return first;
  throw new RespaldoError(
    'usage',
    `several files are meant: ${files.map(({ archive, key }) => `${key} in ${archive}`).join(', ')}`,
    {
      hint: 'Say which by --database, --plan or --archive, or name the file.',
    },
  );
}

async function intoFolder(
  file: FoundFile,
  folder: string,
  archives: OpenArchives,
  { dryRun = false }: ArchiveRestoreOptions,
  invocation: Invocation,
): Promise<void> {
  const { output, clock } = invocation;
  const plan = await planArchiveRestore(file, besides(file, archives), folder, await sourceKinds());
  for (const line of restorePlanLines(file, plan)) output.note(line);
  if (dryRun) {
    output.note('a dry run: nothing was written');
    return;
  }
  const startedAt = clock.monotonic();
  await withRecorder(invocation, (recorder) =>
    recorded(
      { operation: 'restore', subject: folder, repository: archives.storeOf(file).location },
      recorder,
      () => carryOut(file, plan, archives, invocation),
      () => ({ state: 'succeeded', bytesProcessed: plan.neededBytes }),
    ),
  );
  const what = plan.becomes === 'folder' ? quoted(folder) : quoted(path.join(folder, plainName(file)));
  output.json(restoreMessage(file, folder));
  output.note(
    `restored ${what}, ${formatBytes(plan.neededBytes, 1)}, both checksums right, in ${formatDuration(clock.monotonic() - startedAt)}`,
  );
}

/** What lies in the same archive. */
function besides(file: FoundFile, archives: OpenArchives): readonly FoundFile[] {
  return archives.files.filter(({ archive }) => archive === file.archive);
}

async function carryOut(
  file: FoundFile,
  plan: ArchiveRestorePlan,
  archives: OpenArchives,
  { output, clock, signal }: Invocation,
): Promise<void> {
  using progress = showProgress(output, clock, readingProgress(file.key, plan.neededBytes));
  const into = await openFolder(plan.target);
  await restoreArchivedFile(
    plan,
    {
      store: archives.storeOf(file),
      keys: await archives.keysFor(file),
      into,
      runtime: await hostRuntime(),
      kinds: await sourceKinds(),
      onProgress: progress.update,
      onFinding: (finding) => tellFinding(finding, 'restore', output),
    },
    signal,
  );
}

/** It is read twice, to be verified before anything is changed, and lies nowhere in between. */
async function intoServer(
  file: FoundFile,
  address: string,
  archives: OpenArchives,
  options: ArchiveRestoreOptions,
  invocation: Invocation,
): Promise<void> {
  const kinds = await sourceKinds();
  requireFitting(file, address, kinds);
  const ports = { store: archives.storeOf(file), keys: await archives.keysFor(file), kinds };
  const kind = kinds.find((one) => one.accepts(address));
  const accounts = await accountsBeside([file], kind, archives, options.createRoles === true, invocation);
  const dump = { ...archivedDump(file, ports, invocation.signal), ...(accounts && { accounts }) };
  await restoreDumpToServer(dump, archiveTitle(file), address, options, invocation);
}

/** What is no database is none, and what was dumped by one product's program is no use to another. */
function requireFitting({ key, manifest }: FoundFile, address: string, kinds: readonly SourceKind[]): void {
  const { holds } = manifest.facts;
  if (holds !== undefined)
    throw new RespaldoError('usage', `${key} holds ${holds}, and no database`, {
      hint: `The server's own client takes it: ${manifest.restore}`,
    });
  const kind = kinds.find((one) => one.accepts(address));
  const own = kinds.find(({ name }) => name === manifest.source);
  if (kind?.server === undefined || own?.server === undefined || kind === own) return;
  throw new RespaldoError('usage', `${key} is of ${own.addresses}, and cannot be restored into ${kind.addresses}`, {
    hint: 'Name a server of the same kind by --to.',
  });
}
