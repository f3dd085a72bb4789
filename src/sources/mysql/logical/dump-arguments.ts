/** What the dump program is asked for; its options differ between MariaDB and MySQL, and between versions. Pure. */
import { isAtLeast, type Version } from '../product.ts';
import type { DatabaseInventory, ServerInventory } from './inventory.ts';
import { mayLockAll, privilegesOf, seesBinaryLog } from './privileges.ts';

/** A table or view of a database. */
export interface InDatabase {
  readonly database: string;
  readonly name: string;
}

/** However the programs are configured, and whatever is dumped. */
const ALWAYS = [
  ...['--skip-dump-date', '--default-character-set=utf8mb4', '--comments', '--quote-names', '--no-tablespaces'],
  ...['--max-allowed-packet=1G', '--hex-blob'],
];

/**
 * The rows and tables of all these databases, in one transaction.
 * @param without views, whose definitions somebody else reads: one that has become invalid would end the dump.
 * @param extra looked at already: see {@link extraArguments}.
 */
export function tablesArguments(
  tool: Version,
  server: ServerInventory,
  databases: readonly DatabaseInventory[],
  without: readonly InDatabase[],
  extra: readonly string[],
): readonly string[] {
  const isLocking = extra.some((argument) => argument === '--lock-all-tables' || argument === '-x');
  return [
    ...common(tool, server),
    ...(isLocking ? [] : ['--single-transaction', '--skip-lock-tables']),
    ...['--quick', '--extended-insert', '--add-drop-table', '--create-options', '--set-charset', '--tz-utc'],
    // What takes numbers of a sequence cannot be loaded under a lock on its table alone.
    ...['--skip-triggers', '--skip-add-locks'],
    ...position(tool, server),
    ...without.map(({ database, name }) => `--ignore-table=${database}.${name}`),
    ...extra,
    ...['--databases', '--', ...databases.map(({ name }) => name)],
  ];
}

export type Programs = 'routines' | 'triggers' | 'events';

/** What a database holds beside tables and views, of one kind; nothing of the tables. */
export function programsArguments(
  tool: Version,
  server: ServerInventory,
  kind: Programs,
  database: string,
  without: readonly InDatabase[],
): readonly string[] {
  const kinds = { routines: '--routines', triggers: '--triggers', events: '--events' } as const;
  return [
    ...common(tool, server),
    ...['--no-data', '--no-create-info', '--no-create-db', '--skip-lock-tables', '--skip-add-drop-table'],
    ...(kind === 'triggers' ? [] : ['--skip-triggers']),
    kinds[kind],
    ...without.map(({ name }) => `--ignore-table=${database}.${name}`),
    ...['--', database],
  ];
}

function common(tool: Version, server: ServerInventory): readonly string[] {
  // Version 11.8 switches it on by itself. A restore sees to it, and dumps by all versions are alike.
  if (tool.product === 'mariadb') return [...ALWAYS, '--skip-no-autocommit'];
  return [
    ...ALWAYS,
    // It asks for a table that only MySQL 8 has, and stores what ANALYZE can make again.
    ...(isAtLeast(tool, 8, 0, 2) ? ['--column-statistics=0'] : []),
    ...(mistakesCharset(tool, server) ? ['--init-command=SET NAMES utf8mb4'] : []),
    ...(server.version.product === 'mysql' ? [gtidPurged(tool, server)] : []),
  ];
}

/**
 * Since version 8 MySQL's programs say UTF-8 by a collation that MariaDB does not know: it would send them text in its own
 * default, with question marks for what that lacks, and no word of it.
 */
export function mistakesCharset(tool: Version, { version }: Pick<ServerInventory, 'version'>): boolean {
  return tool.product === 'mysql' && version.product === 'mariadb' && isAtLeast(tool, 8);
}

/**
 * As a statement it would end a restore into a server that has transactions of its own. The program stops all writing for a
 * moment to learn it.
 */
function gtidPurged(tool: Version, { gtidMode, grants }: ServerInventory): string {
  const isAsked = gtidMode && mayLockAll(privilegesOf(grants)) && isAtLeast(tool, 8, 0, 17);
  return isAsked ? '--set-gtid-purged=COMMENTED' : '--set-gtid-purged=OFF';
}

/**
 * Asks for the position in the binary log that the rows belong to. MariaDB's servers tell it of the transaction itself;
 * for MySQL's the program stops all writing for a moment, which takes privileges.
 */
function position(tool: Version, { version, binaryLog, grants }: ServerInventory): readonly string[] {
  const privileges = privilegesOf(grants);
  if (!binaryLog || !seesBinaryLog(privileges)) return [];
  if (version.product === 'mariadb') return tool.product === 'mariadb' ? ['--master-data=2', '--gtid'] : [];
  if (!mayLockAll(privileges)) return [];
  if (tool.product === 'mariadb') return isAtLeast(version, 8, 4) ? [] : ['--master-data=2'];
  return [isAtLeast(tool, 8, 0, 26) ? '--source-data=2' : '--master-data=2'];
}
