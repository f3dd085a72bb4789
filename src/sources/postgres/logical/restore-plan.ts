import { bytesOf, databasesIn, refuseNamelessFile, targetsOf } from '../../server/dumped-databases.ts';
import type { PlannedDatabase, ServerRestorePlan, ServerRestoreRequest, SourceIo } from '../../source.ts';
import { customsOf, parseTarget } from '../address.ts';
import type { Disk } from './disks.ts';
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
  const target = await inspectTarget(tools, address, io.runtime, names, tablespacesOf(dump?.databases));
  const planned = names.map((name, i): PlannedDatabase => {
    const there = target.databases.get(name);
    const replaces = there && { bytes: there.bytes, sessions: there.sessions };
    return { name: dump?.databases[i]?.name ?? name, target: name, ...(replaces && { replaces }) };
  });
  const roles = dump === undefined ? [] : missingRoles(dump.databases, target);
  const circumstances = { target, planned, neededBytes, missingRoles: roles, ...(dump && { dump }) };
  const freeBytes = freeBytesOf(target.disks, dump?.databases);
  return {
    server: tools.server,
    serverVersion: target.version,
    ...(dump && { dumpVersion: dump.facts.serverVersion }),
    databases: planned,
    missingRoles: roles,
    unfinished: target.unfinished,
    abandoned: target.abandoned.map(({ name, bytes }) => ({ name, bytes, isDropped: request.dropUnfinished === true })),
    neededBytes,
    ...(freeBytes !== undefined && { freeBytes }),
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

function tablespacesOf(databases: readonly DatabaseFacts[] | undefined): readonly string[] {
  return databases?.map(({ tablespace }) => tablespace) ?? ['pg_default'];
}

/** For a glance: of the disk that the largest database comes to lie on. */
function freeBytesOf(disks: readonly Disk[], databases: readonly DatabaseFacts[] = []): number | undefined {
  const [largest = 'pg_default'] = tablespacesOf(databases.toSorted((a, b) => b.bytes - a.bytes));
  return disks.find(({ tablespaces }) => tablespaces.includes(largest))?.freeBytes;
}
