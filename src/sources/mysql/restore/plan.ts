import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { bytesOf, databasesIn, refuseNamelessFile, targetsOf } from '../../server/dumped-databases.ts';
import type {
  ArchivedRestoreRequest,
  PlannedDatabase,
  ServerRestorePlan,
  ServerRestoreRequest,
  SourceIo,
} from '../../source.ts';
import { parseTarget } from '../address.ts';
import { readFacts, type DatabaseFacts, type LogicalFacts } from '../logical/facts.ts';
import { Toolbox } from '../toolbox.ts';
import { inspectFile } from './file-dump.ts';
import { missingDefiners, obstaclesOf } from './obstacles.ts';
import { inspectTarget } from './target-server.ts';

/** What a snapshot holds of what is to be restored. */
export interface SnapshotDump {
  readonly facts: LogicalFacts;
  readonly databases: readonly DatabaseFacts[];
}

/** Looks at dump and server, and changes nothing. */
export async function planServerRestore(request: ServerRestoreRequest, io: SourceIo): Promise<ServerRestorePlan> {
  const { database } = parseTarget(request.address, io.runtime.kind === 'host');
  if ('file' in request.dump) {
    const names = [database ?? refuseNamelessFile('mysql')];
    return planFor({ names, neededBytes: (await inspectFile(request.dump)).bytes }, request, io);
  }
  const dump = await dumpOf(request.dump.snapshot, request.dump.folder);
  const names = targetsOf(dump.databases, database);
  return planFor({ names, dump, neededBytes: bytesOf(dump.databases) }, request, io);
}

/** Looks at files of archives and server, and changes nothing. */
export async function planArchivedRestore(request: ArchivedRestoreRequest, io: SourceIo): Promise<ServerRestorePlan> {
  const { database } = parseTarget(request.address, io.runtime.kind === 'host');
  const copies = request.copies.map((copy) => ({ name: copy.database, bytes: copy.content.bytes, folder: '' }));
  const sources = copies.map(({ name }) => name);
  return planFor({ names: targetsOf(copies, database), sources, neededBytes: bytesOf(copies) }, request, io);
}

/** What is to be restored. */
interface Wanted {
  /** At the target. */
  readonly names: readonly string[];
  /** As they are called where they come from, if that is another name. */
  readonly sources?: readonly string[];
  readonly neededBytes: number;
  /** Absent: files, of which nobody knows what they hold. */
  readonly dump?: SnapshotDump;
}

async function planFor(
  { names, sources, neededBytes, dump }: Wanted,
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
  const missingRoles = dump === undefined ? [] : missingDefiners(dump.facts, databases, target);
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

/** The databases of a snapshot that are meant: all of them, or that of a folder. */
export async function dumpOf(snapshot: ReadableSnapshot, folder: string | undefined): Promise<SnapshotDump> {
  const facts = await readFacts(snapshot);
  return { facts, databases: databasesIn(snapshot, facts.databases, folder) };
}
