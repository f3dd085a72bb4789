/** What stops a restore into a server. Pure. */
import { roomObstacle, sessionsObstacle } from '../../server/obstacles.ts';
import type { PlannedDatabase, ServerRestoreRequest } from '../../source.ts';
import { definersOf } from '../logical/definers.ts';
import type { DatabaseFacts } from '../logical/facts.ts';
import { privilegesOf } from '../logical/privileges.ts';
import type { TargetServer } from './target-server.ts';

/** What is known of accounts where a dump comes from. */
export interface DumpedAccounts {
  /** `user@host` of all of them. */
  readonly names: readonly string[];
  /** Those by whose rights views, routines, triggers and events of what is restored act. */
  readonly definers: readonly string[];
}

/** Of those by whose rights something acts, the ones that the dump knows and the server lacks. */
export function missingDefiners(
  dumped: DumpedAccounts | undefined,
  { accounts: there }: Pick<TargetServer, 'accounts'>,
): readonly string[] {
  if (there === undefined || dumped === undefined) return [];
  return dumped.definers.filter((definer) => dumped.names.includes(definer) && !there.includes(definer));
}

export interface Circumstances {
  readonly target: TargetServer;
  readonly planned: readonly PlannedDatabase[];
  readonly neededBytes: number;
  readonly missingRoles: readonly string[];
  /** Empty: a file of another tool. */
  readonly databases: readonly DatabaseFacts[];
}

type Wish = Pick<ServerRestoreRequest, 'inPlace' | 'disconnect' | 'createRoles'>;

export function obstaclesOf(
  { target, planned, neededBytes, missingRoles, databases }: Circumstances,
  wish: Wish,
): readonly string[] {
  return [
    ...(target.readOnly ? ['The server is read-only (a replica?): name its primary.'] : []),
    ...privilegeObstacles(target, databases, wish),
    ...(missingRoles.length === 0 || wish.createRoles
      ? []
      : [`The server lacks the accounts ${missingRoles.join(', ')}: --create-roles makes them as they were dumped.`]),
    ...databases.flatMap((database) => lacks(database, target)),
    ...planned.flatMap((database) => [
      ...sessionsObstacle(database, wish.disconnect),
      ...referencesObstacle(database, target),
      ...selfObstacle(database, databases, wish.inPlace),
    ]),
    ...roomObstacle(planned, neededBytes, target, wish.inPlace),
  ];
}

function privilegeObstacles(
  { server }: TargetServer,
  databases: readonly DatabaseFacts[],
  { inPlace }: Wish,
): string[] {
  const { everywhere } = privilegesOf(server.grants);
  const may = (...names: string[]): boolean => ['ALL PRIVILEGES', ...names].some((name) => everywhere.has(name));
  const others = definersOf(databases).filter((definer) => definer !== server.account);
  return [
    ...(inPlace || (may('CREATE') && may('DROP') && may('ALTER') && may('INSERT'))
      ? []
      : [
          `${server.account} may not make databases, so that the new one cannot be made beside the old: log in as another one, or use --in-place.`,
        ]),
    ...(others.length === 0 || may('SUPER', 'SET USER', 'SET_USER_ID', 'SET_ANY_DEFINER')
      ? []
      : [
          `${server.account} may not make views and routines that act for ${others.join(', ')}: GRANT SET USER (MariaDB) or SET_ANY_DEFINER (MySQL) ON *.* TO it.`,
        ]),
  ];
}

function lacks({ name, collation, collations, tables, events }: DatabaseFacts, target: TargetServer): string[] {
  const wanted = new Set([collation, ...collations]);
  const missing = [...wanted].filter((one) => !isKnown(one, target.collations));
  const engines = new Set(tables.map(({ engine }) => engine.toLowerCase()).filter((engine) => engine !== ''));
  const absent = [...engines].filter((engine) => !target.engines.includes(engine));
  return [
    ...(events.length > 0 && target.server.withoutEvents
      ? [`"${name}" has events, which a server started with event_scheduler=DISABLED does not take: start it with OFF.`]
      : []),
    ...(missing.length === 0
      ? []
      : [
          `The server does not know the collations ${missing.join(', ')} that "${name}" uses: restore it to a server that does, or into files (--target) and edit them.`,
        ]),
    ...(absent.length === 0 ? [] : [`The server lacks the storage engines ${absent.join(', ')} that "${name}" uses.`]),
  ];
}

/** MariaDB lists some collations without their character set. */
function isKnown(name: string, known: readonly string[]): boolean {
  return (
    known.includes(name) ||
    known.includes(name.replace(/^[^_]+_/, '')) ||
    known.includes(name.replace(/^utf8_/, 'utf8mb3_'))
  );
}

function referencesObstacle({ target }: PlannedDatabase, { databases }: TargetServer): string[] {
  const references = databases.get(target)?.referencedBy ?? [];
  if (references.length === 0) return [];
  return [
    `Foreign keys of ${references.join(', ')} lead to "${target}", and would follow what is replaced: drop them first, or restore under another name.`,
  ];
}

function selfObstacle(
  { name, target }: PlannedDatabase,
  databases: readonly DatabaseFacts[],
  inPlace: boolean,
): string[] {
  const isNaming = databases.some((database) => database.name === name && database.namesItself);
  if (!isNaming || (inPlace && name === target)) return [];
  return [
    `Columns of "${name}" take numbers from sequences by the database’s name, so that it can only be restored as "${name}" and with --in-place.`,
  ];
}
