/** What stops a restore into a server. Pure. */
import { sessionsObstacle } from '../../server/obstacles.ts';
import type { PlannedDatabase, ServerRestoreRequest } from '../../source.ts';
import { roomObstacles } from './disks.ts';
import type { DatabaseFacts, LogicalFacts } from './facts.ts';
import type { TargetServer } from './target-server.ts';

/** What every server has; roles whose names begin so cannot be made. */
const BUILT_IN_ROLE = /^pg_/;

/** The roles that databases speak of, by ownership, by rights or as whom something is for, and the server lacks. */
export function missingRoles(databases: readonly DatabaseFacts[], target: TargetServer): readonly string[] {
  const named = databases.flatMap(({ owner, grants, settings, relations, roles = [] }) => [
    owner,
    ...roles,
    ...(grants ?? []).map(({ grantee }) => grantee),
    ...settings.map(({ role }) => role),
    ...relations.flatMap((relation) => [relation.owner, ...(relation.grants ?? []).map(granteeOf)]),
  ]);
  const known = new Set(['', ...target.roles]);
  return [...new Set(named)].filter((role) => !known.has(role) && !BUILT_IN_ROLE.test(role)).toSorted();
}

/** `"a b"=arwd/owner` → `a b`; '' is PUBLIC. */
function granteeOf(grant: string): string {
  const [, quoted, plain = ''] = /^(?:"((?:[^"]|"")*)"|([^=]*))=/.exec(grant) ?? [];
  return quoted?.replaceAll('""', '"') ?? plain;
}

export interface Circumstances {
  readonly target: TargetServer;
  readonly planned: readonly PlannedDatabase[];
  readonly neededBytes: number;
  readonly missingRoles: readonly string[];
  /** Absent: a file of another tool. */
  readonly dump?: { readonly facts: LogicalFacts; readonly databases: readonly DatabaseFacts[] };
}

export function obstaclesOf(
  { target, planned, neededBytes, missingRoles: roles, dump }: Circumstances,
  request: Pick<ServerRestoreRequest, 'inPlace' | 'disconnect' | 'createRoles' | 'dropUnfinished'>,
): readonly string[] {
  return [
    ...(target.standby ? ['The server is a standby, which cannot be written to: name its primary.'] : []),
    ...(target.mayCreateDatabases
      ? []
      : ['The role may not create databases: run `ALTER ROLE … CREATEDB` as a superuser, or log in as another one.']),
    ...planned.flatMap(({ target: name }) =>
      target.databases.get(name)?.isOurs === false ? [foreignObstacle(name)] : [],
    ),
    ...planned.flatMap(({ target: name }) => (TEMPLATES.includes(name) ? [templateObstacle(name)] : [])),
    ...(dump === undefined ? [] : versionObstacle(dump.facts, target)),
    ...(roles.length === 0 || request.createRoles
      ? []
      : [`The server lacks the roles ${roles.join(', ')}: --create-roles makes them from the snapshot.`]),
    ...(dump?.databases ?? []).flatMap((database) => lacks(database, target)),
    ...planned.flatMap((database) => sessionsObstacle(database, request.disconnect)),
    ...withoutRoom({ target, planned, neededBytes, ...(dump && { dump }) }, request),
  ];
}

/** A file of another tool does not say where it lies: the default is where it comes to lie. */
function withoutRoom(
  { target, planned, neededBytes, dump }: Omit<Circumstances, 'missingRoles'>,
  { inPlace, dropUnfinished }: Pick<ServerRestoreRequest, 'inPlace' | 'dropUnfinished'>,
): readonly string[] {
  const stretches = (dump?.databases ?? []).map(({ name, tablespace, bytes }) => ({ name, tablespace, bytes }));
  const taken =
    dump === undefined
      ? planned.map(({ name }) => ({ name, tablespace: 'pg_default', bytes: neededBytes }))
      : stretches.filter(({ name }) => planned.some((database) => database.name === name));
  const replaced = planned.flatMap(({ name, target: as, replaces }) => {
    const tablespace = target.databases.get(as)?.tablespace ?? 'pg_default';
    return replaces === undefined ? [] : [{ name, tablespace, bytes: replaces.bytes }];
  });
  const dropped = dropUnfinished === true ? target.abandoned : [];
  return roomObstacles({ disks: target.disks, planned, taken, replaced, dropped }, inPlace);
}

/** Of which the server makes every new database. */
const TEMPLATES: readonly string[] = ['template0', 'template1'];

function foreignObstacle(name: string): string {
  return `"${name}" belongs to another role, and only its owner may replace it: log in as that, as a member of it, or as a superuser.`;
}

function templateObstacle(name: string): string {
  return `New databases are made of "${name}": restore under another name, by the address of --to.`;
}

function versionObstacle({ serverVersion, serverVersionNumber }: LogicalFacts, target: TargetServer): string[] {
  if (Math.floor(target.number / 10_000) >= Math.floor(serverVersionNumber / 10_000)) return [];
  return [
    `The dump is of version ${serverVersion}, the server is the older ${target.version}: restore it to a server of that version or newer, or into files (--target) and edit them.`,
  ];
}

function lacks({ name, extensions, tablespace }: DatabaseFacts, target: TargetServer): string[] {
  const missing = extensions.filter((extension) => !target.extensions.includes(extension.name));
  return [
    ...missing.map(
      (extension) =>
        `The server lacks the extension ${extension.name} (${extension.version}) that "${name}" uses: install its package there.`,
    ),
    ...(target.tablespaces.includes(tablespace)
      ? []
      : [`The server lacks the tablespace ${tablespace} that "${name}" lies in: create it there.`]),
  ];
}
