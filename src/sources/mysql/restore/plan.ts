import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { RespaldoError } from '../../../errors.ts';
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
  const names = dump === undefined ? [database ?? fileTarget()] : targetsOf(dump.databases, database);
  const neededBytes = 'file' in request.dump ? (await inspectFile(request.dump.file)).bytes : bytesOf(dump?.databases);
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
    hint: 'Name the database in the address: mysql://user@host/name',
  });
}

function bytesOf(databases: readonly DatabaseFacts[] = []): number {
  return databases.reduce((sum, { bytes }) => sum + bytes, 0);
}
