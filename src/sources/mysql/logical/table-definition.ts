/** What makes a table, and how its rows are asked for, as the dump programs do it. */
import { identifier } from '../sql.ts';
import type { WireConnection } from '../wire/connection.ts';
import { isToldByText, withBytesAsDigits, withLabels } from './shown-definition.ts';

export interface TableDefinition {
  /** Up to the first row. */
  readonly head: string;
  /** What an INSERT begins with, up to its VALUES. */
  readonly insert: string;
  readonly select: string;
  /** After the last row. */
  readonly tail: string;
}

/** Columns that the server computes are left out: MySQL takes no values for them. */
const COMPUTED = /\b(?:VIRTUAL|STORED|PERSISTENT)\b/i;
const HIDDEN = /\bINVISIBLE\b/i;
/** Character sets of which every text comes back from UTF-8 as the same bytes; of others some do not, which servers do not tell. */
const FAITHFUL =
  /^(?:utf8(?:mb[34])?|utf16(?:le)?|utf32|ascii|latin[1257]|koi8[ru]|cp85[02]|cp866|keybcs2|macce|macroman)_/;
/** Its number of digits is not fixed: as text it has six of them, whatever is in it. */
const FLOAT = /^float(?! *\()/i;
const CHOICE = /^(?:enum|set)\b/i;

interface ShownColumn {
  readonly name: string;
  readonly type: string;
  /** Empty: it holds no text. */
  readonly collation: string;
  readonly extra: string;
}

export async function readDefinition(
  connection: WireConnection,
  database: string,
  table: string,
): Promise<TableDefinition> {
  const name = identifier(table);
  const where = `${identifier(database)}.${name}`;
  const definition = withBytesAsDigits(await shownTable(connection, where));
  const shown = await connection.query(`SHOW FULL COLUMNS FROM ${where}`);
  const columns = shown.map(([column, type, collation, , , , extra]): ShownColumn => ({
    name: identifier(column ?? ''),
    type: type ?? '',
    collation: collation ?? '',
    extra: extra ?? '',
  }));
  const create = await relabelled(connection, where, definition, columns);
  const kept = columns.filter(({ extra }) => !COMPUTED.test(extra));
  const names = kept.map((column) => column.name).join(', ');
  const isPlain = kept.length === columns.length && !columns.some(({ extra }) => HIDDEN.test(extra));
  return {
    head: [
      `DROP TABLE IF EXISTS ${name};`,
      '/*!40101 SET @saved_cs_client     = @@character_set_client */;',
      '/*!40101 SET character_set_client = utf8mb4 */;',
      `${create};`,
      '/*!40101 SET character_set_client = @saved_cs_client */;',
      `/*!40000 ALTER TABLE ${name} DISABLE KEYS */;`,
      '',
    ].join('\n'),
    insert: isPlain ? `INSERT INTO ${name} VALUES` : `INSERT INTO ${name} (${names}) VALUES`,
    select: `SELECT /*!40001 SQL_NO_CACHE */ ${kept.map(valueOf).join(', ')} FROM ${where}`,
    tail: `/*!40000 ALTER TABLE ${name} ENABLE KEYS */;\n`,
  };
}

/** As the server has it: what it would convert for us loses letters of four bytes in expressions, and defaults of bytes. */
async function shownTable(connection: WireConnection, table: string): Promise<Buffer> {
  await connection.query('SET character_set_results = binary');
  const [[, create] = []] = await connection.values(`SHOW CREATE TABLE ${table}`);
  await connection.query('SET character_set_results = utf8mb4');
  return create ?? Buffer.alloc(0);
}

/** With the labels of ENUMs that the server shows as question marks, as far as there are rows that have them. */
async function relabelled(
  connection: WireConnection,
  table: string,
  shown: string,
  columns: readonly ShownColumn[],
): Promise<string> {
  let create = shown;
  for (const { name, type } of columns) {
    if (!/^enum\b.*\?/is.test(type)) continue;
    const rows = await connection.query(
      `SELECT DISTINCT CAST(${name} AS UNSIGNED), ${name} FROM ${table} WHERE ${name} > 0`,
    );
    create = withLabels(create, name, new Map(rows.map(([number, label]) => [Number(number), label ?? ''])));
  }
  return create;
}

/** What is asked for, so that nothing of the value is lost; the dump programs ask for the column. */
function valueOf({ name, type, collation }: Omit<ShownColumn, 'extra'>): string {
  if (FLOAT.test(type)) return `${name} * 1e0`;
  if (CHOICE.test(type) && !isToldByText(type)) return `CAST(${name} AS UNSIGNED)`;
  return collation === '' || FAITHFUL.test(collation) || CHOICE.test(type) ? name : `CONVERT(${name} USING binary)`;
}

/** What makes a sequence that goes on where this one is. */
export async function sequenceStatements(
  connection: WireConnection,
  database: string,
  sequence: string,
): Promise<string> {
  const name = identifier(sequence);
  const where = `${identifier(database)}.${name}`;
  const [[, create] = []] = await connection.query(`SHOW CREATE SEQUENCE ${where}`);
  const [[next, rounds] = []] = await connection.query(`SELECT next_not_cached_value, cycle_count FROM ${where}`);
  const round = Number(rounds) > 0 ? `, ${rounds ?? ''}` : '';
  return `DROP SEQUENCE IF EXISTS ${name};\n${create ?? ''};\nDO SETVAL(${name}, ${next ?? '1'}, 0${round});\n`;
}
