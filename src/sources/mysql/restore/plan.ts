import { bytesOf, refuseNamelessFile, targetsOf } from '../../server/dumped-databases.ts';
import type {
  ArchivedRestoreRequest,
  PlannedDatabase,
  ServerRestorePlan,
  ServerRestoreRequest,
  SourceIo,
} from '../../source.ts';
import { parseTarget } from '../address.ts';
import { Toolbox } from '../toolbox.ts';
import { archivedAccounts, snapshotAccounts } from './dumped-accounts.ts';
import { inspectFile } from './file-dump.ts';
import { missingDefiners, obstaclesOf, type DumpedAccounts } from './obstacles.ts';
import { dumpOf, type SnapshotDump } from './snapshot-dump.ts';
import { inspectTarget } from './target-server.ts';

/** Looks at dump and server, and changes nothing. */
export async function planServerRestore(request: ServerRestoreRequest, io: SourceIo): Promise<ServerRestorePlan> {
  const { database } = parseTarget(request.address, io.runtime.kind === 'host');
  if ('file' in request.dump) {
    const names = [database ?? refuseNamelessFile('mysql')];
    const accounts = await archivedAccounts(request.dump.accounts);
    return planFor({ names, accounts, neededBytes: (await inspectFile(request.dump)).bytes }, request, io);
  }
  const dump = await dumpOf(request.dump.snapshot, request.dump.folder);
  const names = targetsOf(dump.databases, database);
  const accounts = snapshotAccounts(dump);
  return planFor({ names, dump, accounts, neededBytes: bytesOf(dump.databases) }, request, io);
}

/** Looks at files of archives and server, and changes nothing. */
export async function planArchivedRestore(request: ArchivedRestoreRequest, io: SourceIo): Promise<ServerRestorePlan> {
  const { database } = parseTarget(request.address, io.runtime.kind === 'host');
  const copies = request.copies.map((copy) => ({ name: copy.database, bytes: copy.content.bytes, folder: '' }));
  const sources = copies.map(({ name }) => name);
  const accounts = await archivedAccounts(request.accounts);
  return planFor({ names: targetsOf(copies, database), sources, accounts, neededBytes: bytesOf(copies) }, request, io);
}

/** What is to be restored. */
interface Wanted {
  /** At the target. */
  readonly names: readonly string[];
  /** As they are called where they come from, if that is another name. */
  readonly sources?: readonly string[];
  readonly accounts: DumpedAccounts | undefined;
  readonly neededBytes: number;
  /** Absent: files, of which nobody knows what they hold. */
  readonly dump?: SnapshotDump;
}

async function planFor(
  { names, sources, accounts, neededBytes, dump }: Wanted,
  request: Omit<ServerRestoreRequest, 'dump' | 'logs'>,
  io: SourceIo,
): Promise<ServerRestorePlan> {
  const { server: address } = parseTarget(request.address, io.runtime.kind === 'host');
  const tools = await Toolbox.open(address, request.password, io.runtime, io.signal);
  const target = await inspectTarget(tools, names);
  const planned = names.map((name, i): PlannedDatabase => {
    const there = target.databases.get(name);
    const replaces = there && { bytes: there.bytes, sessions: there.sessions };
    return { name: dump?.databases[i]?.name ?? sources?.[i] ?? name, target: name, ...(replaces && { replaces }) };
  });
  const databases = dump?.databases ?? [];
  const missingRoles = missingDefiners(accounts, target);
  return {
    server: tools.server,
    serverVersion: target.server.said,
    ...(dump && { dumpVersion: dump.facts.serverVersion }),
    databases: planned,
    missingRoles,
    unfinished: target.unfinished,
    neededBytes,
    ...(target.freeBytes !== undefined && { freeBytes: target.freeBytes }),
    obstacles: obstaclesOf({ target, planned, neededBytes, missingRoles, databases }, request),
  };
}
