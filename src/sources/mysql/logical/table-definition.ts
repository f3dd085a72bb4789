/** What makes a table, and how its rows are asked for, as the dump programs do it. */
import { identifier } from '../sql.ts';
import type { WireConnection } from '../wire/connection.ts';

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

export async function readDefinition(
  connection: WireConnection,
  database: string,
  table: string,
): Promise<TableDefinition> {
  const name = identifier(table);
  const where = `${identifier(database)}.${name}`;
  const [[, create] = []] = await connection.query(`SHOW CREATE TABLE ${where}`);
  const columns = await connection.query(`SHOW COLUMNS FROM ${where}`);
  const kept = columns.filter(([, , , , , extra]) => !COMPUTED.test(extra ?? ''));
  const names = kept.map(([column]) => identifier(column ?? '')).join(', ');
  const isPlain = kept.length === columns.length && !columns.some(([, , , , , extra]) => HIDDEN.test(extra ?? ''));
  return {
    head: [
      `DROP TABLE IF EXISTS ${name};`,
      '/*!40101 SET @saved_cs_client     = @@character_set_client */;',
      '/*!40101 SET character_set_client = utf8mb4 */;',
      `${create ?? ''};`,
      '/*!40101 SET character_set_client = @saved_cs_client */;',
      `/*!40000 ALTER TABLE ${name} DISABLE KEYS */;`,
      '',
    ].join('\n'),
    insert: isPlain ? `INSERT INTO ${name} VALUES` : `INSERT INTO ${name} (${names}) VALUES`,
    select: `SELECT /*!40001 SQL_NO_CACHE */ ${names} FROM ${where}`,
    tail: `/*!40000 ALTER TABLE ${name} ENABLE KEYS */;\n`,
  };
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
  const [[next] = []] = await connection.query(`SELECT next_not_cached_value FROM ${where}`);
  return `DROP SEQUENCE IF EXISTS ${name};\n${create ?? ''};\nDO SETVAL(${name}, ${next ?? '1'}, 0);\n`;
}
