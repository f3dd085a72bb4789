import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { bytesOf, databasesIn, refuseNamelessFile, targetsOf } from '../../server/dumped-databases.ts';
import type { PlannedDatabase, ServerRestorePlan, ServerRestoreRequest, SourceIo } from '../../source.ts';
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
  const { server: address, database } = parseTarget(request.address, io.runtime.kind === 'host');
  const dump = 'file' in request.dump ? undefined : await dumpOf(request.dump.snapshot, request.dump.folder);
  const names = dump === undefined ? [database ?? refuseNamelessFile('mysql')] : targetsOf(dump.databases, database);
  const neededBytes = 'file' in request.dump ? (await inspectFile(request.dump)).bytes : bytesOf(dump?.databases);
  const tools = await Toolbox.open(address, request.password, io.runtime, io.signal);
  const target = await inspectTarget(tools, names);
  const planned = names.map((name, i): PlannedDatabase => {
    const there = target.databases.get(name);
    const replaces = there && { bytes: there.bytes, sessions: there.sessions };
    return { name: dump?.databases[i]?.name ?? name, target: name, ...(replaces && { replaces }) };
  });
  const databases = dump?.databases ?? [];
  const missingRoles = dump === undefined ? [] : missingDefiners(dump.facts, databases, target);
  return {
    server: tools.server,
    serverVersion: target.server.said,
    ...(dump && { dumpVersion: dump.facts.serverVersion }),
    databases: planned,
    missingRoles,
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
