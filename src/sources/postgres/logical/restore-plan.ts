import { bytesOf, databasesIn, refuseNamelessFile, targetsOf } from '../../server/dumped-databases.ts';
import type { PlannedDatabase, ServerRestorePlan, ServerRestoreRequest, SourceIo } from '../../source.ts';
import { customsOf, parseTarget } from '../address.ts';
import type { DatabaseFacts, LogicalFacts } from './facts.ts';
import { inspectFile } from './file-dump.ts';
import { readLogicalFacts } from './logical-snapshot.ts';
import { missingRoles, obstaclesOf } from './restore-obstacles.ts';
import { inspectTarget } from './target-server.ts';
import { Toolbox } from './toolbox.ts';

/** Looks at dump and server, and changes nothing. */
export async function planServerRestore(request: ServerRestoreRequest, io: SourceIo): Promise<ServerRestorePlan> {
  const { server: address, database } = parseTarget(request.address, customsOf(io.runtime.kind === 'host'));
  const dump = 'file' in request.dump ? undefined : await dumpOf(request.dump.snapshot, request.dump.folder);
  const names =
    dump === undefined ? [database ?? refuseNamelessFile('postgresql')] : targetsOf(dump.databases, database);
  const neededBytes = 'file' in request.dump ? (await inspectFile(request.dump)).bytes : bytesOf(dump?.databases);
  const tools = await Toolbox.open(address, request.password, io.runtime, io.signal);
  const target = await inspectTarget(tools, address, io.runtime, names, tablespaceOf(dump?.databases));
  const planned = names.map((name, i): PlannedDatabase => {
    const replaces = target.databases.get(name);
    return { name: dump?.databases[i]?.name ?? name, target: name, ...(replaces && { replaces }) };
  });
  const roles = dump === undefined ? [] : missingRoles(dump.databases, target);
  const circumstances = { target, planned, neededBytes, missingRoles: roles, ...(dump && { dump }) };
  return {
    server: tools.server,
    serverVersion: target.version,
    ...(dump && { dumpVersion: dump.facts.serverVersion }),
    databases: planned,
    missingRoles: roles,
    unfinished: target.unfinished,
    abandoned: target.abandoned.map((left) => ({ ...left, isDropped: request.dropUnfinished === true })),
    neededBytes,
    ...(target.freeBytes !== undefined && { freeBytes: target.freeBytes }),
    obstacles: obstaclesOf(circumstances, request),
  };
}

/** The databases of a snapshot that are meant: all of them, or that of a folder. */
export async function dumpOf(
  snapshot: Parameters<typeof readLogicalFacts>[0],
  folder: string | undefined,
): Promise<{ readonly facts: LogicalFacts; readonly databases: readonly DatabaseFacts[] }> {
  const facts = await readLogicalFacts(snapshot);
  return { facts, databases: databasesIn(snapshot, facts.databases, folder) };
}

/** That of the largest one: it decides whether there is room. */
function tablespaceOf(databases: readonly DatabaseFacts[] = []): string {
  return databases.toSorted((a, b) => b.bytes - a.bytes)[0]?.tablespace ?? 'pg_default';
}
