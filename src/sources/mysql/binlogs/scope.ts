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
}

export function isInScope({ isWhole, names, except, isEverything }: Scope, database: string): boolean {
  if (isEverything === true || names.includes(database)) return true;
  if (!isWhole || database === '' || SYSTEM.includes(database.toLowerCase())) return false;
  return !except.some((pattern) => shellPattern(pattern).test(database));
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
export function fateOf(scope: Scope, { database, sql }: { readonly database: string; readonly sql: string }): Fate {
  if (ACCOUNTS.test(sql) && scope.isEverything !== true) return 'accounts';
  if (CONTROL.test(sql)) return 'control';
  if (isInScope(scope, database)) return 'keep';
  return scope.names.some((name) => names(sql, name)) ? 'keep' : 'drop';
}

function names(sql: string, name: string): boolean {
  if (!sql.toLowerCase().includes(name.toLowerCase())) return false;
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_$])${escaped}(?![\\p{L}\\p{N}_$])`, 'iu').test(sql);
}
