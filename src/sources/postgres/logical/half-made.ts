/** Databases that a restore is still making, and what marks them as its own. */
import { unfinishedOf } from '../../server/side-name.ts';
import { ask, execute } from './psql-session.ts';
import { identifier, literal, SESSIONS_OF_OTHERS } from './sql.ts';
import type { Toolbox } from './toolbox.ts';

/** The comment of each, from its making until it takes its place. */
const MARK =
  'Respaldo is restoring into this database. If no restore is under way, a killed one has left it: the next one drops it by --drop-unfinished.';

/** Of the locks of restores: the letters of `resp`. Other programs may have locks of their own. */
const LOCKS = 0x72_65_73_70;

const DROP_TABLES = `DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT oid::regclass FROM pg_class WHERE relkind = 'r'
    AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
  LOOP EXECUTE 'DROP TABLE IF EXISTS ' || name || ' CASCADE'; END LOOP;
END $$`;

/** No database goes that has a subscription. What was dumped of one never had a connection: nobody else loses anything. */
const DROP_SUBSCRIPTIONS = `DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT quote_ident(subname) FROM pg_subscription
    WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  LOOP
    EXECUTE 'ALTER SUBSCRIPTION ' || name || ' DISABLE';
    EXECUTE 'ALTER SUBSCRIPTION ' || name || ' SET (slot_name = NONE)';
    EXECUTE 'DROP SUBSCRIPTION ' || name;
  END LOOP;
END $$`;

export function markStatement(side: string): string {
  return commentStatement(side, MARK);
}

/** @param comment null: none */
export function commentStatement(name: string, comment: string | null): string {
  return `COMMENT ON DATABASE ${identifier(name)} IS ${comment === null ? 'NULL' : literal(comment)}`;
}

/** Held until the session ends: as long as somebody holds it, the database is being worked on. */
export function lockStatement(side: string): string {
  return `SELECT pg_advisory_lock(${String(LOCKS)}, ${String(lockOf(side) | 0)})`;
}

/** What killed restores have left, and this role may drop. */
export async function abandonedDatabases(tools: Toolbox, maintenance: string): Promise<readonly HalfMade[]> {
  return abandonedOf(await ask(tools, maintenance, MARKED));
}

/** Size in bytes. */
export interface HalfMade {
  readonly name: string;
  readonly tablespace: string;
  readonly bytes: number;
}

/** Databases that are ours by their comment, that nobody is in, and that this role may drop; with the locks of restores. */
export const MARKED = `SELECT datname AS name,
    (SELECT spcname FROM pg_tablespace AS t WHERE t.oid = d.dattablespace) AS tablespace,
    CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) ELSE 0 END AS bytes,
    (SELECT coalesce(json_agg(objid::bigint), '[]') FROM pg_locks
     WHERE locktype = 'advisory' AND classid = ${String(LOCKS)} AND objsubid = 2) AS locks
  FROM pg_database AS d
  WHERE shobj_description(oid, 'pg_database') = ${literal(MARK)} AND pg_has_role(datdba, 'USAGE')
    AND NOT EXISTS (SELECT ${SESSIONS_OF_OTHERS})`;

/** @param rows of {@link MARKED} */
export function abandonedOf(rows: readonly Readonly<Record<string, unknown>>[]): readonly HalfMade[] {
  const marked = rows.map(({ name, tablespace, bytes, locks }) => ({
    name: String(name),
    tablespace: String(tablespace),
    bytes: Number(bytes),
    locks: Array.isArray(locks) ? locks.map(Number) : [],
  }));
  const named = unfinishedOf(marked.map(({ name }) => name));
  return marked
    .filter(({ name, locks }) => named.includes(name) && !locks.includes(lockOf(name)))
    .map(({ name, tablespace, bytes }) => ({ name, tablespace, bytes }));
}

/** Drops what this restore has made, whoever works with it. */
export async function dropHalfMade(tools: Toolbox, maintenance: string, name: string): Promise<void> {
  const drop = (): Promise<void> =>
    execute(tools, maintenance, `DROP DATABASE IF EXISTS ${identifier(name)} WITH (FORCE)`);
  try {
    await drop();
  } catch {
    await execute(tools, name, DROP_SUBSCRIPTIONS);
    // Dropping takes a checkpoint, and that takes room, which there may only be without the rows.
    await execute(tools, name, DROP_TABLES);
    await drop();
  }
}

/** Drops what another restore has left, which the server itself refuses while anybody is in it. */
export async function dropAbandoned(tools: Toolbox, maintenance: string, name: string): Promise<void> {
  const drop = (): Promise<void> => execute(tools, maintenance, `DROP DATABASE IF EXISTS ${identifier(name)}`);
  try {
    await drop();
  } catch (error) {
    const isLeft = (await abandonedDatabases(tools, maintenance)).some((left) => left.name === name);
    if (!isLeft) throw error;
    await execute(tools, name, DROP_SUBSCRIPTIONS);
    await drop();
  }
}

/** The digits at its end: what a restore has thrown for it. */
function lockOf(side: string): number {
  return Number.parseInt(side.slice(-8), 16);
}
