import { isError } from '../../errors.ts';
import type { PostgresAddress } from './address.ts';
import { connect, MAINTENANCE } from './connection.ts';
import type { TablespaceSize } from './wire/base-backup.ts';

/** Where a relation's file lies: which tablespace, which database (0: all of them), which number. */
export interface FilePlace {
  /** 0: the database's own. */
  readonly tablespace: number;
  readonly database: number;
  readonly node: number;
}

const SHARED_TABLESPACE = 1664;
const FILE = /^(?:(global)|(base)\/(\d+)|(.*?)\/?PG_[^/]+\/(\d+))\/(\d+)(?:_[a-z]+)?(?:\.\d+)?$/;

/**
 * Which tables and indexes files belong to: `index public.account_pkey of database shop`. What cannot be asked, or is
 * too damaged to be told, is left out.
 */
export async function nameRelations(
  files: readonly string[],
  tablespaces: readonly TablespaceSize[],
  address: PostgresAddress,
  password: string | undefined,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const file of files) {
    const place = placeOf(file, tablespaces);
    if (place === undefined) continue;
    try {
      const name = await nameOf(place, address, password, signal);
      if (name !== undefined) names.set(file, name);
    } catch (error) {
      if (!isError(error, 'source-refused') && !isError(error, 'source-damaged')) throw error;
    }
  }
  return names;
}

/** Undefined for what is no relation's file. */
export function placeOf(file: string, tablespaces: readonly TablespaceSize[]): FilePlace | undefined {
  const [, global, base, ownDatabase, folder = '', otherDatabase, node] = FILE.exec(file) ?? [];
  if (node === undefined) return undefined;
  if (global !== undefined) return { tablespace: SHARED_TABLESPACE, database: 0, node: Number(node) };
  if (base !== undefined) return { tablespace: 0, database: Number(ownDatabase), node: Number(node) };
  const oid = /(?:^|\/)pg_tblspc\/(\d+)$/.exec(folder)?.[1] ?? tablespaces.find(isAt(folder))?.oid;
  return oid === undefined
    ? undefined
    : { tablespace: Number(oid), database: Number(otherDatabase), node: Number(node) };
}

function isAt(folder: string): (tablespace: TablespaceSize) => boolean {
  return ({ location }) => location?.replace(/^\/+|\/+$/g, '') === folder.replace(/^\/+/, '');
}

async function nameOf(
  { tablespace, database, node }: FilePlace,
  address: PostgresAddress,
  password: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const where = database === 0 ? MAINTENANCE : await databaseOf(database, address, password, signal);
  if (where === undefined) return undefined;
  const connection = await connect(address, password, where, signal);
  try {
    const [row] = await connection.query(
      `SELECT CASE WHEN relkind IN ('i', 'I') THEN 'index ' WHEN relkind = 't' THEN 'TOAST table ' ELSE 'table ' END
              || pg_class.oid::regclass AS name
       FROM pg_class WHERE oid = pg_filenode_relation($1, $2)`,
      [tablespace, node],
    );
    if (typeof row?.name !== 'string') return undefined;
    return database === 0 ? `${row.name} of all databases` : `${row.name} of database ${where.database}`;
  } finally {
    await connection.close();
  }
}

async function databaseOf(
  oid: number,
  address: PostgresAddress,
  password: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly database: string } | undefined> {
  const connection = await connect(address, password, MAINTENANCE, signal);
  try {
    const [row] = await connection.query('SELECT datname FROM pg_database WHERE oid = $1', [oid]);
    return typeof row?.datname === 'string' ? { database: row.datname } : undefined;
  } finally {
    await connection.close();
  }
}
