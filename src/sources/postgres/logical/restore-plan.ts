import { RespaldoError } from '../../../errors.ts';
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
  const names = dump === undefined ? [database ?? fileTarget()] : targetsOf(dump.databases, database);
  const neededBytes = 'file' in request.dump ? (await inspectFile(request.dump.file)).bytes : bytesOf(dump?.databases);
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
  const wanted = folder?.replace(/\/+$/, '');
  const databases =
    wanted === undefined || wanted === '' || wanted === '/dump'
      ? facts.databases
      : facts.databases.filter((database) => database.folder === wanted || database.name === wanted.slice(1));
  if (databases.length > 0) return { facts, databases };
  throw new RespaldoError('path-missing', `snapshot ${snapshot.id} holds no database at ${String(wanted)}`, {
    hint: `It holds: ${facts.databases.map((database) => database.folder).join(', ')}.`,
  });
}

function targetsOf(databases: readonly DatabaseFacts[], named: string | undefined): string[] {
  if (named === undefined) return databases.map(({ name }) => name);
  if (databases.length === 1) return [named];
  throw new RespaldoError('usage', `the snapshot holds ${String(databases.length)} databases, the address names one`, {
    hint: `Say which by latest:/dump/<database>: ${databases.map(({ name }) => name).join(', ')}. Or leave the name out of the address.`,
  });
}

function fileTarget(): never {
  throw new RespaldoError('usage', 'a file does not say which database it is', {
    hint: 'Name the database in the address: postgresql://user@host/name',
  });
}

/** That of the largest one: it decides whether there is room. */
function tablespaceOf(databases: readonly DatabaseFacts[] = []): string {
  return databases.toSorted((a, b) => b.bytes - a.bytes)[0]?.tablespace ?? 'pg_default';
}

function bytesOf(databases: readonly DatabaseFacts[] = []): number {
  return databases.reduce((sum, { bytes }) => sum + bytes, 0);
}
