import type { Client } from 'pg';
import { TABLES } from './schema.ts';

export interface TablePrint {
  readonly table: string;
  readonly rows: number;
  /** Over all rows, in their order. */
  readonly md5: string;
}

/** Every row of every table, as numbers that can be compared. */
export async function printTables(client: Client): Promise<readonly TablePrint[]> {
  const prints: TablePrint[] = [];
  for (const table of TABLES) {
    const { rows } = await client.query<TablePrint>(
      `SELECT '${table}' AS table, count(*)::int AS rows,
              md5(coalesce(string_agg(md5(t::text), '' ORDER BY t), '')) AS md5
       FROM ${table} AS t`,
    );
    prints.push(...rows);
  }
  return prints;
}

/** Lets PostgreSQL check every index against its table, and every table's pages. @returns how many were checked. */
export async function checkIndexes(client: Client): Promise<number> {
  await client.query('CREATE EXTENSION IF NOT EXISTS amcheck');
  const { rows } = await client.query(
    `SELECT bt_index_check(index => indexrelid, heapallindexed => true)
     FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
     WHERE amname = 'btree' AND relpersistence = 'p' AND indisready AND indisvalid`,
  );
  return rows.length;
}
