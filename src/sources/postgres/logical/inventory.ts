/** What a server and a database hold, asked in one session; what is asked of old and new versions alike. */
import { z } from 'zod';
import { logicalFacts, type DatabaseFacts } from './facts.ts';
import type { SqlSession } from './sql-session.ts';

/** Names are what they are, not what an extension or PostgreSQL itself brought. */
const OURS = (object: string, catalog: string): string =>
  `${object}namespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
   AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = '${catalog}'::regclass AND objid = o.oid AND deptype = 'e')`;

const SERVER = `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
  pg_is_in_recovery() AS standby, has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS passwords`;

const server = z.object({ version: z.string(), number: z.number(), standby: z.boolean(), passwords: z.boolean() });
export type ServerInventory = z.infer<typeof server>;

export async function inspectServer(session: SqlSession): Promise<ServerInventory> {
  return server.parse((await session.query(SERVER))[0]);
}

/** Newer columns are read through JSON, so that older versions lack them without an error. */
const DATABASES = `SELECT d.datname AS name, pg_get_userbyid(d.datdba) AS owner,
  pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collate, d.datctype AS ctype,
  j->>'datlocprovider' AS "localeProvider", coalesce(j->>'datlocale', j->>'daticulocale') AS locale,
  j->>'daticurules' AS "icuRules", t.spcname AS tablespace, d.datconnlimit AS "connectionLimit",
  shobj_description(d.oid, 'pg_database') AS comment, d.datistemplate AS template,
  has_database_privilege(d.oid, 'CONNECT') AS connect,
  CASE WHEN has_database_privilege(d.oid, 'CONNECT') THEN pg_database_size(d.oid) ELSE 0 END AS bytes,
  CASE WHEN d.datacl IS NOT NULL THEN
    (SELECT coalesce(json_agg(json_build_object('grantee', coalesce(r.rolname, ''), 'privilege', a.privilege_type,
       'grantable', a.is_grantable) ORDER BY coalesce(r.rolname, ''), a.privilege_type), '[]')
     FROM aclexplode(d.datacl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee) END AS grants,
  (SELECT coalesce(json_agg(json_build_object('role', coalesce(r.rolname, ''), 'values', s.setconfig)
     ORDER BY coalesce(r.rolname, '')), '[]')
   FROM pg_db_role_setting AS s LEFT JOIN pg_roles AS r ON r.oid = s.setrole WHERE s.setdatabase = d.oid) AS settings
  FROM pg_database AS d JOIN pg_tablespace AS t ON t.oid = d.dattablespace, to_jsonb(d) AS j
  WHERE d.datallowconn ORDER BY d.datname`;

const facts = logicalFacts.shape.databases.element.shape;
const database = z.object({
  name: facts.name,
  owner: facts.owner,
  encoding: facts.encoding,
  collate: facts.collate,
  ctype: facts.ctype,
  localeProvider: facts.localeProvider,
  locale: facts.locale,
  icuRules: facts.icuRules,
  tablespace: facts.tablespace,
  connectionLimit: facts.connectionLimit,
  comment: facts.comment,
  grants: facts.grants,
  settings: facts.settings,
  bytes: facts.bytes,
  template: z.boolean(),
  connect: z.boolean(),
});
export type DatabaseInventory = z.infer<typeof database>;

/** Those that can be connected to at all, templates too, by name. */
export async function inspectDatabases(session: SqlSession): Promise<readonly DatabaseInventory[]> {
  return (await session.query(DATABASES)).map((row) => database.parse(row));
}

const KINDS = `CASE o.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned-table' WHEN 'v' THEN 'view'
  WHEN 'm' THEN 'materialized-view' WHEN 'f' THEN 'foreign-table' ELSE 'sequence' END`;

/**
 * `alone`: whether pg_dump would write its rows as those of this table, from this table alone; it writes rows of a
 * partition by hash through the root where the hash may be another one elsewhere.
 */
const RELATIONS = `SELECT n.nspname AS schema, o.relname AS name, format('%I.%I', n.nspname, o.relname) AS sql,
  ${KINDS} AS kind, pg_get_userbyid(o.relowner) AS owner,
  (SELECT json_agg(a::text ORDER BY a::text) FROM unnest(o.relacl) AS a) AS grants,
  coalesce(pg_relation_size(o.oid), 0) AS bytes, o.reltuples AS "rowEstimate",
  o.relkind = 'r' AND am.amname = 'heap'
    AND NOT (o.relpersistence = 'u' AND pg_is_in_recovery())
    AND NOT EXISTS (SELECT FROM pg_partition_ancestors(o.oid) AS p JOIN pg_partitioned_table AS t ON t.partrelid = p.relid
      WHERE t.partstrat = 'h') AS alone,
  (SELECT coalesce(json_agg(quote_ident(attname) ORDER BY attnum), '[]') FROM pg_attribute
   WHERE attrelid = o.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
  FROM pg_class AS o JOIN pg_namespace AS n ON n.oid = o.relnamespace LEFT JOIN pg_am AS am ON am.oid = o.relam
  WHERE o.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${OURS('rel', 'pg_class')}
  ORDER BY n.nspname, o.relname`;

const relation = logicalFacts.shape.databases.element.shape.relations.element.extend({
  alone: z.boolean(),
  columns: z.array(z.string()),
});
export type RelationInventory = z.infer<typeof relation>;

/** Tables, partitioned ones too: what has rows to be kept as they are. */
const TABLES = `SELECT format('%I.%I', n.nspname, o.relname) AS sql
  FROM pg_class AS o JOIN pg_namespace AS n ON n.oid = o.relnamespace
  WHERE o.relkind IN ('r', 'p') AND ${OURS('rel', 'pg_class')} ORDER BY n.nspname, o.relname`;

const EXTENSIONS = `SELECT e.extname AS name, e.extversion AS version, n.nspname AS schema
  FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace ORDER BY e.extname`;

/** NOT NULL is a constraint with a name only since version 18. pg_dump leaves out indexes whose making has failed. */
const COUNTS = `SELECT
  (SELECT count(*) FROM pg_namespace AS o WHERE nspname !~ '^pg_' AND nspname <> 'information_schema') AS schemas,
  (SELECT count(*) FROM pg_proc AS o WHERE ${OURS('pro', 'pg_proc')}) AS functions,
  (SELECT count(*) FROM pg_class AS o JOIN pg_index AS i ON i.indexrelid = o.oid JOIN pg_class AS t ON t.oid = i.indrelid
   WHERE i.indisready AND (i.indisvalid OR t.relkind = 'p') AND ${OURS('o.rel', 'pg_class')}) AS indexes,
  (SELECT count(*) FROM pg_constraint AS o WHERE contype <> 'n' AND ${OURS('con', 'pg_constraint')}) AS constraints,
  (SELECT count(*) FROM pg_type AS o WHERE typtype IN ('d', 'e', 'r') AND ${OURS('typ', 'pg_type')}) AS types,
  (SELECT count(*) FROM pg_operator AS o WHERE ${OURS('opr', 'pg_operator')}) AS operators,
  (SELECT count(*) FROM pg_trigger AS o WHERE NOT tgisinternal) AS triggers,
  (SELECT count(*) FROM pg_policy) AS policies,
  (SELECT count(*) FROM pg_event_trigger) AS "event triggers",
  (SELECT count(*) FROM pg_publication) AS publications,
  (SELECT count(*) FROM pg_largeobject_metadata) AS "largeObjects"`;

/** All but the one that the server was made with: that it needs its own things, PostgreSQL does not write down. */
const ROLES = `SELECT DISTINCT r.rolname AS name FROM pg_shdepend AS d JOIN pg_roles AS r ON r.oid = d.refobjid
  WHERE d.refclassid = 'pg_authid'::regclass
    AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY name`;

const counts = z.record(z.string(), z.number());

/** The names of all tables, as SQL has them. */
export async function inspectTables(session: SqlSession): Promise<readonly string[]> {
  return (await session.query(TABLES)).map((row) => relation.shape.sql.parse(row['sql']));
}

/** What one database holds, as the session's snapshot sees it. */
export interface ContentInventory extends Pick<DatabaseFacts, 'extensions' | 'counts' | 'largeObjects'> {
  readonly roles: readonly string[];
  readonly relations: readonly RelationInventory[];
}

export async function inspectContent(session: SqlSession): Promise<ContentInventory> {
  const relations = await inspectRelations(session);
  return { relations, ...(await inspectRest(session)) };
}

/** The part of it that says what there is to be read. */
export async function inspectRelations(session: SqlSession): Promise<readonly RelationInventory[]> {
  return (await session.query(RELATIONS)).map((row) => relation.parse(row));
}

/** The other part. */
export async function inspectRest(session: SqlSession): Promise<Omit<ContentInventory, 'relations'>> {
  const extensions = facts.extensions.parse(await session.query(EXTENSIONS));
  const { largeObjects = 0, ...others } = counts.parse((await session.query(COUNTS))[0]);
  const roles = (await session.query(ROLES)).map(({ name }) => String(name));
  return { extensions, counts: others, largeObjects, roles };
}
