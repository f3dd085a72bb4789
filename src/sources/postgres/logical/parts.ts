/** Which tables are read in parallel, and in which pieces. Pure. */
import type { RelationInventory } from './inventory.ts';
import { isWrittenAlike } from './server-encoding.ts';

const MIB = 1024 * 1024;

/** A smaller table is not worth a file of its own: pg_dump writes it with all the others. */
const LARGE = 1 * MIB;
/** pg_dump is told of each by an argument, and there is no room for any number of them. */
const MOST_LARGE = 2000;
/** What one COPY reads at a time. */
const RANGE_BYTES = 4 * MIB;
/** Pieces in a file of rows, about. */
const FILE_PIECES = 2048;
/** From this version on, a range of row addresses reads nothing but these pages. */
const RANGE_SCANS_SINCE = 140_000;

/**
 * The tables that are copied by themselves, the largest ones if there are too many. In the order given.
 * @param encoding of the database: we, and what pg_dump is told, name things in UTF-8.
 */
export function largeTables(relations: readonly RelationInventory[], encoding: string): readonly RelationInventory[] {
  const large = relations.filter(
    ({ alone, sql, columns, bytes }) =>
      alone && columns.length > 0 && bytes >= LARGE && isWrittenAlike([sql, ...columns].join(), encoding),
  );
  if (large.length <= MOST_LARGE) return large;
  const least = large.map(({ bytes }) => bytes).toSorted((a, b) => b - a)[MOST_LARGE - 1] ?? 0;
  return large.filter(({ bytes }) => bytes >= least).slice(0, MOST_LARGE);
}

/**
 * The SELECTs that together give every row of the table once, in the order of the pages.
 * @param pageBytes the server's page size.
 */
export function tableReads(table: RelationInventory, serverVersion: number, pageBytes: number): readonly string[] {
  const select = `SELECT ${table.columns.join(', ')} FROM ONLY ${table.sql}`;
  const step = Math.max(1, Math.floor(RANGE_BYTES / pageBytes));
  const ranges = Math.ceil(table.bytes / pageBytes / step);
  if (serverVersion < RANGE_SCANS_SINCE || ranges < 2) return [select];
  return Array.from({ length: ranges }, (_, i) => {
    const from = i === 0 ? [] : [`ctid >= '(${String(i * step)},0)'`];
    // The last has no end: whatever the table has grown by since is there, though this snapshot does not see it.
    const to = i === ranges - 1 ? [] : [`ctid < '(${String((i + 1) * step)},0)'`];
    return `${select} WHERE ${[...from, ...to].join(' AND ')}`;
  });
}

/**
 * The same, file by file. A file is always of the same pages, and its list of pieces (40 bytes each) is stored anew only
 * if one of these has changed: of a table that is appended to, the last file's alone.
 * @param cut bytes of a piece, on average.
 */
export function readsByFile(reads: readonly string[], cut: number): readonly (readonly string[])[] {
  const inFile = Math.max(1, Math.floor((FILE_PIECES * cut) / RANGE_BYTES));
  const files = Math.ceil(reads.length / inFile);
  return Array.from({ length: files }, (_, i) => reads.slice(i * inFile, (i + 1) * inFile));
}

/** The pattern by which pg_dump means exactly this table. */
export function exactPattern({ schema, name }: Pick<RelationInventory, 'schema' | 'name'>): string {
  return [schema, name].map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
}
