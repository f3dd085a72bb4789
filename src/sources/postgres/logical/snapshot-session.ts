import { PsqlSession } from './psql-session.ts';
import { openSession } from './sessions.ts';
import type { SqlSession } from './sql-session.ts';
import type { Toolbox } from './toolbox.ts';

/** How long to wait for a table that somebody changes. */
const LOCK_TIMEOUT_MS = 300_000;

/** Whatever the role, the database or the server set: a dump's bytes do not depend on it. pg_dump sets the same. */
const SETTINGS = [
  'statement_timeout = 0',
  `lock_timeout = ${String(LOCK_TIMEOUT_MS)}`,
  'idle_in_transaction_session_timeout = 0',
  "datestyle = 'ISO'",
  "intervalstyle = 'postgres'",
  'extra_float_digits = 3',
  "bytea_output = 'hex'",
  'synchronize_seqscans = off',
  'row_security = off',
  "search_path = ''",
];

const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
const TRANSACTION_TIMEOUT_SINCE = 170_000;

/** One state of a database that several sessions see, for as long as the one that holds it is open. */
export interface HeldSnapshot {
  readonly session: SqlSession;
  /** By which others, pg_dump too, ask for the same state. */
  readonly id: string;
  readonly encoding: string;
  readonly pageBytes: number;
}

/** @param version of the server: 150008. */
export async function holdSnapshot(tools: Toolbox, database: string, version: number): Promise<HeldSnapshot> {
  const session = await openSession(tools, database);
  try {
    await session.execute(BEGIN);
    await session.execute(settingsFor(version));
    const [row] = await session.query(
      `SELECT pg_export_snapshot() AS id, current_setting('server_encoding') AS encoding,
         current_setting('block_size')::int AS pages`,
    );
    return {
      session,
      id: String(row?.id),
      encoding: String(row?.encoding),
      pageBytes: Number(row?.pages),
    };
  } catch (error) {
    await session.abandon();
    throw error;
  }
}

/** Another session that sees the same state. */
export async function joinSnapshot(
  tools: Toolbox,
  database: string,
  version: number,
  held: HeldSnapshot,
): Promise<PsqlSession> {
  const session = new PsqlSession(tools, database);
  try {
    for (const statements of joinStatements(version, held)) await session.execute(statements);
    return session;
  } catch (error) {
    await session.abandon();
    throw error;
  }
}

/** What makes any session of the same database see the same state; each item at once. */
export function joinStatements(
  version: number,
  { id, encoding }: Pick<HeldSnapshot, 'id' | 'encoding'>,
): readonly string[] {
  return [
    // Together: nothing may be asked in between.
    `${BEGIN};\nSET TRANSACTION SNAPSHOT '${id}'`,
    settingsFor(version),
    `SET client_encoding = '${encoding}'`,
  ];
}

/** Keeps every table as it is until the session ends: rows come and go, columns do not. */
export async function lockTables(session: SqlSession, tables: readonly string[]): Promise<void> {
  const AT_A_TIME = 200;
  for (let at = 0; at < tables.length; at += AT_A_TIME) {
    const names = tables.slice(at, at + AT_A_TIME).map((name) => `ONLY ${name}`);
    await session.execute(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`);
  }
}

function settingsFor(version: number): string {
  const settings = version >= TRANSACTION_TIMEOUT_SINCE ? [...SETTINGS, 'transaction_timeout = 0'] : SETTINGS;
  return settings.map((setting) => `SET ${setting}`).join(';\n');
}
