/** A server's databases as they were at a moment, of what archives hold: a base, and the log from there. */
import { sourceKinds } from '../compose.ts';
import { RespaldoError } from '../errors.ts';
import { chosenFiles, filtered, type FoundFile } from '../operations/archive-files.ts';
import { archivedCopy } from '../operations/archive-restore.ts';
import type { ArchivedCopy, SourceKind } from '../sources/source.ts';
import { accountsBeside } from './archive-accounts.ts';
import { OpenArchives, type ArchiveOptions } from './archive-options.ts';
import type { Invocation } from './invocation.ts';
import { quoted } from './printable.ts';
import { restoreDumpToServer, type ServerOptions } from './server-restore.ts';
import { count } from './units.ts';
import { archiveTitle } from './views/archive.ts';

export async function restorePointInTime(
  reference: string,
  options: ArchiveOptions & ServerOptions & { readonly until: Date | string },
  invocation: Invocation,
): Promise<void> {
  const { to = '', plan: _plan, database: _database, ...everything } = options;
  const kind = (await sourceKinds()).find((one) => one.accepts(to));
  const log = logExtension(kind);
  // The log is of another plan than the base.
  await using archives = await OpenArchives.open(everything, invocation);
  for (const { archive, error } of archives.problems) invocation.output.warn(`archive ${archive}: ${error.message}`);
  const isLog = ({ manifest }: FoundFile): boolean => manifest.extension === log;
  const isBase = (file: FoundFile): boolean => !isLog(file) && file.manifest.facts['holds'] === undefined;
  const candidates = filtered(archives.files, options).filter(isBase);
  const base = oneRun(chosenFiles(candidates, [reference]));
  const copy = (file: FoundFile, isVerifiedFirst: boolean): ArchivedCopy =>
    archivedCopy(
      file,
      { store: archives.storeOf(file), keysOf: () => archives.keysFor(file) },
      isVerifiedFirst,
      invocation.signal,
    );
  const [first, ...others] = base;
  const logs = oneOfEach(archives.files.filter(isLog), first.archive);
  const accounts = await accountsBeside(base, kind, archives, options.createRoles === true, invocation);
  await restoreDumpToServer(
    {
      copies: [copy(first, false), ...others.map((file) => copy(file, false))],
      ...(accounts && { accounts }),
      logs: logs.map((file) => copy(file, true)),
      until: options.until,
    },
    others.length === 0 ? archiveTitle(first) : titleOf(base),
    to,
    options,
    invocation,
  );
}

/** @throws RespaldoError `usage` for a server of whose kind archives hold no log */
function logExtension(kind: SourceKind | undefined): string {
  const log = kind?.server?.archived?.log;
  if (log !== undefined) return log;
  throw new RespaldoError('usage', '--until is for MySQL and MariaDB: no log of other servers is stored', {
    hint: 'Leave it out.',
  });
}

type Files = readonly [FoundFile, ...FoundFile[]];

/** Of several archives that have the same any will do. @throws RespaldoError `usage` for files of several runs */
function oneRun(files: readonly FoundFile[]): Files {
  const [newest] = files.toSorted((a, b) => Date.parse(b.manifest.time) - Date.parse(a.manifest.time));
  const other = files.find(({ manifest }) => manifest.plan !== newest?.manifest.plan);
  if (newest === undefined) throw new RespaldoError('internal', 'no file was chosen');
  if (other !== undefined)
    throw new RespaldoError(
      'usage',
      `files of several plans are meant: ${newest.manifest.plan}, ${other.manifest.plan}`,
      { hint: 'Name the plan of the base: --plan NAME.' },
    );
  // What was dropped before the newest run is in older ones alone.
  const run = files.filter(({ manifest }) => manifest.run === newest.manifest.run);
  const [first, ...others] = oneOfEach(run, newest.archive);
  if (first === undefined)
    throw new RespaldoError('source-damaged', `${newest.key} is not whole in any archive`, {
      hint: 'See what is there: respaldo archive list',
    });
  return [first, ...others];
}

/** Whole ones; of those that several archives have, that of the one which is preferred. */
function oneOfEach(files: readonly FoundFile[], preferred: string): readonly FoundFile[] {
  const found = new Map<string, FoundFile>();
  for (const file of files.filter(({ state }) => state === 'whole')) {
    const { source, database, plain } = file.manifest;
    const id = JSON.stringify([source, database, plain.sha256]);
    if (!found.has(id) || file.archive === preferred) found.set(id, file);
  }
  return [...found.values()];
}

function titleOf(files: Files): string {
  const names = files.map(({ manifest }) => quoted(manifest.database)).join(', ');
  return `${names}: ${count(files.length, 'file')} of one run, the last one ${archiveTitle(files[0])}`;
}
