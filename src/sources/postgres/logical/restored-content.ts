import type { DatabaseFacts } from './facts.ts';
import type { RestoredContent } from './differences.ts';
import { inspectContent } from './inventory.ts';
import { PsqlSession } from './psql-session.ts';
import { literal } from './sql.ts';
import type { Toolbox } from './toolbox.ts';

/** Looks at what a restore has made, table by table, as far as the dump's record tells of it. */
export function inspectRestored(tools: Toolbox, database: string, recorded: DatabaseFacts): Promise<RestoredContent> {
  return PsqlSession.with(tools, database, async (session) => {
    await session.execute(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET search_path = ''; SET row_security = off; SET statement_timeout = 0",
    );
    const { relations, ...content } = await inspectContent(session);
    const counted = recorded.relations.filter(({ rows }) => rows !== undefined);
    const names = new Set(counted.map(({ sql }) => sql));
    const tables = counted.filter(({ kind }) => kind !== 'partitioned-table').map(({ sql }) => sql);
    const withRows: DatabaseFacts['relations'] = [];
    for (const relation of relations) {
      if (!names.has(relation.sql)) withRows.push(relation);
      else {
        const rows = relation.kind === 'partitioned-table' ? throughRoot(relation.sql, tables) : `ONLY ${relation.sql}`;
        const [row] = await session.query(`SELECT count(*) AS rows FROM ${rows}`);
        withRows.push({ ...relation, rows: Number(row?.rows) });
      }
    }
    const there = new Set(relations.map(({ sql }) => sql));
    const sequences: DatabaseFacts['sequences'] = [];
    for (const { name } of recorded.sequences) {
      if (!there.has(name)) continue;
      const [row] = await session.query(`SELECT last_value::text AS value, is_called AS called FROM ${name}`);
      sequences.push({ name, value: String(row?.value), called: row?.called === true });
    }
    return { ...content, relations: withRows, sequences };
  });
}

/** A partitioned table's rows that were dumped as its own: without those of partitions that were dumped as theirs. */
function throughRoot(root: string, tables: readonly string[]): string {
  return `${root} WHERE tableoid NOT IN (SELECT relid FROM pg_partition_tree(${literal(root)})
    WHERE relid::text = ANY (ARRAY[${tables.map(literal).join(', ')}]::text[]))`;
}
