/** Whether what a database holds can be read, and its indexes fit it: by amcheck, or by reading every row. */
import { randomBytes } from 'node:crypto';
import type { DrillCheck } from '../../../domain/drill.ts';
import { isError, RespaldoError, throwIfAborted } from '../../../errors.ts';
import type { PostgresConnection } from '../connection.ts';
import { identifier, literal } from '../logical/sql.ts';
import { inDatabase } from './databases.ts';
import { lookUp, type OtherIndex } from './index-lookups.ts';
import type { ThrowAwayServer } from './throwaway-server.ts';

/** Of many that are wrong, so many are named; of an unsound table, so many of its messages. */
const NAMED = 5;

/** Temporary tables are gone. Unlogged ones are empty after a recovery, and sound. */
const TABLES = `SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, a.amname AS method
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_am AS a ON a.oid = c.relam
  WHERE c.relkind IN ('r', 't', 'm') AND c.relpersistence <> 't' AND a.amname = 'heap' ORDER BY name`;

const INDEXES = `SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, a.amname AS method
  FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_am AS a ON a.oid = c.relam
  WHERE c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisready AND i.indisvalid ORDER BY name`;

interface Relation {
  readonly oid: number;
  readonly name: string;
}

/** How relations are looked into, with amcheck in a schema or without. */
interface Means {
  readonly table: (table: Relation) => string;
  /** Absent: there is no way to look at one alone. */
  readonly index?: (index: Relation) => string;
  /** The same of GIN indexes, which newer servers know. */
  readonly gin?: (index: Relation) => string;
  readonly called: string;
}

/** Looks into every table and index of a database, system tables included. */
export function checkContent(server: ThrowAwayServer, database: string, signal: AbortSignal): Promise<DrillCheck> {
  return inDatabase(server, database, signal, (connection) => checkDatabase(connection, database, signal));
}

/** The same in a session that there is. @throws RespaldoError `not-proven` if the server crashes at the sight of it. */
export async function checkDatabase(
  connection: PostgresConnection,
  database: string,
  signal: AbortSignal,
): Promise<DrillCheck> {
  const name = `database "${database}"`;
  try {
    const means = await meansIn(connection);
    const tables = await relations(connection, TABLES);
    const indexes = await relations(connection, INDEXES);
    const btrees = indexes.filter(({ method }) => method === 'btree');
    const others = indexes.filter(({ method }) => method !== 'btree');
    const wrong: string[] = [];
    for (const table of tables) wrong.push(...(await failuresOf(connection, table, means.table(table), signal)));
    if (means.index !== undefined)
      for (const index of btrees) wrong.push(...(await failuresOf(connection, index, means.index(index), signal)));
    const asked = await askOthers(connection, others, means, signal);
    wrong.push(...asked.wrong);
    if (wrong.length > 0) return { name, passed: false, detail: some(wrong) };
    const unseen = [...(means.index === undefined ? btrees : []), ...asked.unseen];
    return { name, passed: true, detail: seen(tables.length, btrees.length, others.length, unseen, means) };
  } catch (error) {
    throwIfAborted(signal);
    if (!isError(error, 'source-refused') && !isError(error, 'source-damaged')) throw error;
    return { name, passed: false, detail: error.message };
  }
}

/** Indexes that are no B-trees: by amcheck, where it knows them, and by looking up rows in them. */
async function askOthers(
  connection: PostgresConnection,
  indexes: readonly OtherIndex[],
  { gin }: Means,
  signal: AbortSignal,
): Promise<{ readonly wrong: readonly string[]; readonly unseen: readonly OtherIndex[] }> {
  const wrong: string[] = [];
  const unseen: OtherIndex[] = [];
  for (const index of indexes) {
    const isChecked = index.method === 'gin' && gin !== undefined;
    if (isChecked) wrong.push(...(await failuresOf(connection, index, gin(index), signal)));
    const found = await failing(connection, index, () => lookUp(connection, index), signal);
    if (typeof found === 'object') wrong.push(...found);
    else if (typeof found === 'string') wrong.push(found);
    else if (found === undefined && !isChecked) unseen.push(index);
  }
  return { wrong, unseen };
}

/** Installs amcheck where the server has it. It is a throw-away server: nobody misses what it was before. */
async function meansIn(connection: PostgresConnection): Promise<Means> {
  const [there] = await connection.query(
    `SELECT n.nspname AS schema FROM pg_available_extensions AS a LEFT JOIN pg_extension AS e ON e.extname = a.name
       LEFT JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE a.name = 'amcheck'`,
  );
  if (there === undefined) return reading;
  const schema = typeof there['schema'] === 'string' ? there['schema'] : await installAmcheck(connection);
  const knows = async (name: string) => {
    const from = `FROM pg_proc WHERE proname = ${literal(name)} AND pronamespace = ${literal(schema)}::regnamespace`;
    return (await connection.query(`SELECT ${from}`))[0];
  };
  const row = await knows('verify_heapam');
  const gin = await knows('gin_index_check');
  const its = identifier(schema);
  return {
    table:
      row === undefined
        ? reading.table
        : ({ oid, name }) =>
            `SELECT ${literal(name)} || ', block ' || blkno || ': ' || msg AS wrong
             FROM ${its}.verify_heapam(${String(oid)}::regclass, check_toast => true) LIMIT ${String(NAMED)}`,
    index: ({ oid }) => `SELECT NULL AS wrong FROM ${its}.bt_index_check(${String(oid)}::regclass, true)`,
    ...(gin !== undefined && {
      gin: ({ oid }: Relation) => `SELECT NULL AS wrong FROM ${its}.gin_index_check(${String(oid)}::regclass)`,
    }),
    called: 'amcheck',
  };
}

async function installAmcheck(connection: PostgresConnection): Promise<string> {
  const schema = `respaldo_${randomBytes(8).toString('hex')}`;
  await connection.query(`CREATE SCHEMA ${identifier(schema)}`);
  await connection.query(`CREATE EXTENSION amcheck SCHEMA ${identifier(schema)}`);
  return schema;
}

/** As text every value is read whole, wherever it lies. A toast table has no rows that could be text. */
const reading: Means = {
  table: ({ name }) => {
    const value = name.startsWith('pg_toast.') ? 'chunk_data' : 't::text';
    // What nobody wants to know is not read: the answer depends on it.
    return `SELECT CASE WHEN count(length(${value})) < 0 THEN 'less than nothing' END AS wrong FROM ONLY ${name} AS t`;
  },
  called: 'reading every row',
};

async function relations(connection: PostgresConnection, sql: string): Promise<readonly OtherIndex[]> {
  return (await connection.query(sql)).map(({ oid, name, method }) => ({
    oid: Number(oid),
    name: String(name),
    method: String(method),
  }));
}

/** What is wrong, as the server says it. @throws RespaldoError `not-proven` if it crashes at the sight of it. */
async function failuresOf(
  connection: PostgresConnection,
  relation: Relation,
  look: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return failing(
    connection,
    relation,
    async () => (await connection.query(look)).flatMap(({ wrong }) => (typeof wrong === 'string' ? [wrong] : [])),
    signal,
  );
}

/** What comes of looking, or what the server says against it. @throws RespaldoError as {@link failuresOf} */
async function failing<T>(
  connection: PostgresConnection,
  { name }: Relation,
  look: () => Promise<T>,
  signal: AbortSignal,
): Promise<T | readonly string[]> {
  throwIfAborted(signal);
  try {
    return await look();
  } catch (error) {
    throwIfAborted(signal);
    if (isError(error, 'source-refused') || isError(error, 'source-damaged'))
      return [`${name}: ${error.message.replace(`${connection.server}: `, '')}`];
    if (!isError(error, 'source-lost')) throw error;
    throw new RespaldoError('not-proven', `the server crashed when it looked into ${name}`, { cause: error });
  }
}

function seen(
  tables: number,
  btrees: number,
  others: number,
  unseen: readonly OtherIndex[],
  { index, called }: Means,
): string {
  const both = index === undefined ? '' : ` and ${String(btrees)} B-tree indexes`;
  const looked = others - unseen.filter(({ method }) => method !== 'btree').length;
  const asked = looked === 0 ? '' : `; rows were looked up, and found, in ${String(looked)} indexes of other kinds`;
  const kinds = [...new Set(unseen.map(({ method }) => method))].toSorted().join(', ');
  const rest = unseen.length === 0 ? '' : `; ${String(unseen.length)} indexes were not looked into (${kinds})`;
  return `${String(tables)} tables${both} are sound, by ${called}${asked}${rest}`;
}

function some(messages: readonly string[]): string {
  const more = messages.length > NAMED ? `; and ${String(messages.length - NAMED)} more` : '';
  return `${messages.slice(0, NAMED).join('; ')}${more}`;
}
