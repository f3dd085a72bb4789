/**
 * Whether indexes find what tables hold, by asking them: rows are read without any index, and looked up in the index
 * alone. That is done for indexes that amcheck does not know: hash, GiST, SP-GiST, GIN, BRIN.
 */
import type { PostgresConnection } from '../connection.ts';
import { literal } from '../logical/sql.ts';

/** How many rows are looked up in an index; fewer in one that has the table read for each. */
const ROWS = 100;
const ROWS_OF_BRIN = 20;

/** By which every value is related to itself, in most types. The first that an index knows is asked for. */
const REFLEXIVE = ['=', '~=', '&&', '@>', '<@'];

export interface OtherIndex {
  readonly oid: number;
  readonly name: string;
  /** `gin`, `hash`. */
  readonly method: string;
}

interface Lookup {
  readonly table: string;
  /** Of the index, without its schema. */
  readonly index: string;
  /** What is indexed first: a column or an expression. */
  readonly value: string;
  /** `OPERATOR(pg_catalog.=)` */
  readonly operator: string;
  /** Of a partial index. */
  readonly condition: string;
}

/**
 * In a transaction that is undone. The server must be nobody else's: other indexes of the table are put aside for it.
 * @returns what is wrong; undefined where the index cannot be asked, as it knows no such operator.
 * @throws RespaldoError what the server raises.
 */
export async function lookUp(connection: PostgresConnection, index: OtherIndex): Promise<string | undefined | true> {
  const lookup = await lookupOf(connection, index);
  if (lookup === undefined) return undefined;
  await connection.query('BEGIN');
  try {
    await sample(connection, lookup, index.method === 'brin' ? ROWS_OF_BRIN : ROWS);
    await leaveOnly(connection, index);
    const question = questionOf(lookup);
    if (!(await isAsked(connection, question, lookup))) return undefined;
    const [answer] = await connection.query(question);
    const missing = Number(answer?.['missing']);
    return missing === 0 || `${index.name}: ${String(missing)} rows of ${lookup.table} are not found through it`;
  } finally {
    // A connection that is lost takes its transaction along.
    await connection.query('ROLLBACK').catch(() => undefined);
  }
}

async function lookupOf(connection: PostgresConnection, { oid }: OtherIndex): Promise<Lookup | undefined> {
  const [row] = await connection.query(
    `SELECT format('%I.%I', tn.nspname, t.relname) AS table, c.relname AS index, pg_get_indexdef(c.oid, 1, true) AS value,
       coalesce(pg_get_expr(i.indpred, i.indrelid), 'true') AS condition,
       format('OPERATOR(%I.%s)', n.nspname, o.oprname) AS operator
     FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_class AS t ON t.oid = i.indrelid
       JOIN pg_namespace AS tn ON tn.oid = t.relnamespace JOIN pg_opclass AS k ON k.oid = i.indclass[0]
       JOIN pg_amop AS p ON p.amopfamily = k.opcfamily AND p.amoppurpose = 's'
         AND p.amoplefttype = k.opcintype AND p.amoprighttype = k.opcintype
       JOIN pg_operator AS o ON o.oid = p.amopopr JOIN pg_namespace AS n ON n.oid = o.oprnamespace
     WHERE i.indexrelid = ${String(oid)} AND o.oprname = ANY(ARRAY[${REFLEXIVE.map(literal).join(', ')}])
     ORDER BY array_position(ARRAY[${REFLEXIVE.map(literal).join(', ')}], o.oprname::text) LIMIT 1`,
  );
  if (row === undefined) return undefined;
  const text = (name: string): string => String(row[name]);
  return {
    table: text('table'),
    index: text('index'),
    value: text('value'),
    operator: text('operator'),
    condition: text('condition'),
  };
}

/** Rows of all of the table, read without any index. A value that is not related to itself could not be looked up. */
async function sample(
  connection: PostgresConnection,
  { table, value, operator, condition }: Lookup,
  rows: number,
): Promise<void> {
  await connection.query('SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off');
  await connection.query(
    `CREATE TEMPORARY TABLE respaldo_sample ON COMMIT DROP AS
       SELECT ctid AS at, (${value}) AS value FROM ONLY ${table}
       WHERE (${condition}) AND (${value}) ${operator} (${value}) ORDER BY random() LIMIT ${String(rows)}`,
  );
}

/** The planner knows no way but this one. */
async function leaveOnly(connection: PostgresConnection, { oid }: OtherIndex): Promise<void> {
  const others = `SELECT indrelid FROM pg_index WHERE indexrelid = ${String(oid)}`;
  await connection.query(
    `UPDATE pg_index SET indisvalid = false WHERE indrelid = (${others}) AND indexrelid <> ${String(oid)}`,
  );
  const without = ['seqscan', 'tidscan', 'hashjoin', 'mergejoin', 'material', 'memoize'];
  const known = await connection.query(
    `SELECT name FROM pg_settings WHERE name = ANY(ARRAY[${without.map((it) => literal(`enable_${it}`)).join(', ')}])`,
  );
  const settings = known.map(({ name }) => `SET LOCAL ${String(name)} = off`);
  await connection.query([...settings, 'SET LOCAL enable_indexscan = on; SET LOCAL enable_bitmapscan = on'].join('; '));
}

function questionOf({ table, value, operator, condition }: Lookup): string {
  return `SELECT count(*) AS missing FROM respaldo_sample AS respaldo_wanted WHERE NOT EXISTS (
    SELECT FROM ONLY ${table} WHERE (${condition}) AND (${value}) ${operator} respaldo_wanted.value AND ctid = respaldo_wanted.at)`;
}

async function isAsked(connection: PostgresConnection, question: string, { index }: Lookup): Promise<boolean> {
  const [plan] = await connection.query(`EXPLAIN (FORMAT JSON) ${question}`);
  return JSON.stringify(plan).includes(JSON.stringify({ 'Index Name': index }).slice(1, -1));
}
