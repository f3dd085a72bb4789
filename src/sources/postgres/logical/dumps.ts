/** What pg_dump and pg_dumpall are asked for, and the text of what is read without them. */
import { randomBytes } from 'node:crypto';
import type { RelationInventory } from './inventory.ts';
import { exactPattern } from './parts.ts';
import { dumpText, type DumpContent } from './dump-text.ts';
import { conninfo } from './conninfo.ts';
import type { Toolbox } from './toolbox.ts';

/** In the order in which they are restored: what tables are, what they hold, what rests upon that. */
export type Section = 'pre-data' | 'data' | 'post-data';

const LOCK_TIMEOUT = '300s';

export interface DumpRequest {
  readonly database: string;
  readonly section: Section;
  /** Of the session that holds it. */
  readonly snapshot: string;
  /** Of the database: what was converted could not always be converted back. */
  readonly encoding: string;
  /** Tables whose rows somebody else reads. */
  readonly without: readonly RelationInventory[];
}

/** One section of a database. */
export function dumpSection(
  tools: Toolbox,
  isGuarded: boolean,
  { database, section, snapshot, encoding, without }: DumpRequest,
  content: DumpContent,
): AsyncGenerator<Uint8Array> {
  const guard = isGuarded ? randomBytes(16).toString('hex') : undefined;
  const args = [
    ...['--no-password', '--format=plain', `--section=${section}`, `--snapshot=${snapshot}`],
    ...[`--encoding=${encoding}`, `--lock-wait-timeout=${LOCK_TIMEOUT}`],
    ...(guard === undefined ? [] : [`--restrict-key=${guard}`]),
    ...without.map((table) => `--exclude-table-data=${exactPattern(table)}`),
  ];
  const dump = tools.run({ program: 'pg_dump', args, database });
  const what = `pg_dump of "${database}" (${section})`;
  return dumpText(dump, content, what, { isData: section === 'data', encoding, ...(guard !== undefined && { guard }) });
}

/** Roles and tablespaces. @param passwords whether the role may read them. */
export function dumpGlobals(
  tools: Toolbox,
  isGuarded: boolean,
  database: string,
  passwords: boolean,
  content: DumpContent,
): AsyncGenerator<Uint8Array> {
  const guard = isGuarded ? randomBytes(16).toString('hex') : undefined;
  const args = [
    ...['--no-password', '--globals-only', `--database=${conninfo(database)}`],
    ...(passwords ? [] : ['--no-role-passwords']),
    ...(guard === undefined ? [] : [`--restrict-key=${guard}`]),
  ];
  const dump = tools.run({ program: 'pg_dumpall', args, database });
  return dumpText(dump, content, 'pg_dumpall', { isData: false, ...(guard !== undefined && { guard }) });
}

/** What stands before and after a table's rows: a script of its own, to be run after `schema.sql`. */
export function tableFrame({ sql, columns }: RelationInventory, encoding: string): { head: Buffer; tail: Buffer } {
  const head = [
    'SET statement_timeout = 0;',
    'SET lock_timeout = 0;',
    'SET idle_in_transaction_session_timeout = 0;',
    `SET client_encoding = '${encoding}';`,
    'SET standard_conforming_strings = on;',
    "SELECT pg_catalog.set_config('search_path', '', false);",
    'SET row_security = off;',
    '',
    `COPY ${sql} (${columns.join(', ')}) FROM stdin;`,
  ];
  return { head: Buffer.from(`${head.join('\n')}\n`), tail: Buffer.from('\\.\n') };
}

/**
 * The script that restores a database's files into the database that psql is connected to, all of them or none.
 * @param files beside it, in their order.
 */
export function restoreScript(name: string, files: readonly string[]): Buffer {
  const lines = [
    `-- The database ${JSON.stringify(name)}, all or nothing, into the one that psql is connected to:`,
    '--   psql -X -d <a new database> -f restore.sql',
    '\\set ON_ERROR_STOP on',
    'BEGIN;',
    ...files.map((file) => `\\ir '${file.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`),
    'COMMIT;',
  ];
  return Buffer.from(`${lines.join('\n')}\n`);
}
