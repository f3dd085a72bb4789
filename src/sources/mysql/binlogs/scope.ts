/** Of which databases the log is replayed, and what of it is left out. Pure. */
import { shellPattern } from '../../server/shell-pattern.ts';
import { SYSTEM } from '../logical/inventory.ts';

/** The databases of a base. */
export interface Scope {
  /** Also those that were made later. */
  readonly isWhole: boolean;
  readonly names: readonly string[];
  /** Shell patterns. */
  readonly except: readonly string[];
  /** All of the server, its own databases and accounts included. */
  readonly isEverything?: true;
  /** Databases of the target that are not restored: nothing may happen to them. */
  readonly foreign?: readonly string[];
  /** The only database of the base becomes another one. */
  readonly renamed?: Renaming;
}

export interface Renaming {
  readonly from: string;
  readonly to: string;
}

export function isInScope({ isWhole, names, except, isEverything }: Scope, database: string): boolean {
  if (isEverything === true || names.includes(database)) return true;
  if (!isWhole || database === '' || SYSTEM.includes(database.toLowerCase())) return false;
  return !except.some((pattern) => shellPattern(pattern).test(database));
}

interface Statement {
  /** That was in use; empty: none. */
  readonly database: string;
  readonly sql: string;
}

/** `control`: it belongs to no database; `accounts`: it is about who may log in. */
export type Fate = 'keep' | 'drop' | 'accounts' | 'control';

const CONTROL = /^\s*(?:SAVEPOINT|ROLLBACK|RELEASE|COMMIT|BEGIN|START|XA)\b/i;
const ACCOUNTS =
  /^\s*(?:(?:CREATE|ALTER|DROP|RENAME)\s+(?:OR\s+REPLACE\s+)?(?:USER|ROLE)|GRANT|REVOKE|SET\s+(?:DEFAULT\s+ROLE|PASSWORD|ROLE))\b/i;

/**
 * What becomes of a statement. One that was said in another database is kept where it names one of ours: it may have
 * changed it. It may fail then, and that is told; left out, it would be missing silently.
 */
export function fateOf(scope: Scope, { database, sql }: Statement): Fate {
  if (ACCOUNTS.test(sql) && scope.isEverything !== true) return 'accounts';
  if (CONTROL.test(sql)) return 'control';
  if (isInScope(scope, database)) return 'keep';
  return scope.names.some((name) => names(sql, name)) ? 'keep' : 'drop';
}

/** Which of the foreign databases a statement is said in, or names, and may change. */
export function foreignOf({ foreign = [] }: Scope, { database, sql }: Statement): readonly string[] {
  return foreign.filter((name) => name.toLowerCase() === database.toLowerCase() || names(sql, name));
}

/** What changes tables and fires no trigger. */
const DEFINITION = /^\s*(?:\/\*.*?\*\/\s*)?(?:CREATE|ALTER|DROP|RENAME|TRUNCATE)\b/is;

/**
 * Whether a statement that is replayed would, although all else is renamed, act on the database that has the old name: the
 * programs that read logs rename what rows belong to and what statements are said in, and not what statements name; and
 * changes that are logged as statements fire triggers, which may name it, too.
 */
export function bindsOldName({ renamed }: Scope, { sql }: Statement): boolean {
  return renamed !== undefined && (names(sql, renamed.from) || !DEFINITION.test(sql));
}

function names(sql: string, name: string): boolean {
  if (!sql.toLowerCase().includes(name.toLowerCase())) return false;
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_$])${escaped}(?![\\p{L}\\p{N}_$])`, 'iu').test(sql);
}
