/**
 * What an account may see. A server shows nothing of what one may not see, and says nothing of it: a dump would be
 * smaller than the database, without an error. Pure.
 */

/** Without these, tables, views, triggers or events are missing silently. */
const WANTED = ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT'] as const;

export interface Privileges {
  readonly everywhere: ReadonlySet<string>;
  /** By the pattern of databases, as GRANT writes it: `shop\_%`. */
  readonly within: ReadonlyMap<string, ReadonlySet<string>>;
}

const GRANT = /^GRANT (.+?) ON (?:(?:DATABASE|TABLE) )?(\*|`(?:[^`]|``)+`|"(?:[^"]|"")+")\.\* TO /s;

/** Reads what SHOW GRANTS says; what is granted on single tables and routines is left out. */
export function privilegesOf(grants: readonly string[]): Privileges {
  const everywhere = new Set<string>();
  const within = new Map<string, Set<string>>();
  for (const grant of grants) {
    const [, privileges = '', on = ''] = GRANT.exec(grant) ?? [];
    const pattern = on.slice(1, -1).replaceAll('``', '`');
    const known = on === '*' ? everywhere : (within.get(pattern) ?? new Set<string>());
    if (on !== '' && on !== '*') within.set(pattern, known);
    for (const name of privileges.split(',')) known.add(name.trim().toUpperCase());
  }
  return { everywhere, within };
}

/** What is missing to dump the database as a whole. */
export function missingPrivileges({ everywhere, within }: Privileges, database: string): readonly string[] {
  const held = [everywhere, ...[...within].filter(([pattern]) => isLike(database, pattern)).map(([, names]) => names)];
  return WANTED.filter((name) => !held.some((names) => names.has(name) || names.has('ALL PRIVILEGES')));
}

/** Whether every function and procedure shows itself with its body. */
export function seesRoutines({ everywhere, within }: Privileges): boolean {
  const ways = ['ALL PRIVILEGES', 'SELECT', 'SHOW_ROUTINE', 'SHOW CREATE ROUTINE'];
  const own = within.get('mysql');
  return (
    ways.some((name) => everywhere.has(name)) || own?.has('SELECT') === true || own?.has('ALL PRIVILEGES') === true
  );
}

/** Whether it may be told where the binary log is. */
export function seesBinaryLog({ everywhere }: Privileges): boolean {
  return ['ALL PRIVILEGES', 'SUPER', 'REPLICATION CLIENT', 'BINLOG MONITOR'].some((name) => everywhere.has(name));
}

/** Whether it may stop everybody's writing for a moment. */
export function mayLockAll({ everywhere }: Privileges): boolean {
  return ['ALL PRIVILEGES', 'RELOAD', 'FLUSH_TABLES'].some((name) => everywhere.has(name));
}

/** LIKE, as GRANT has it. */
function isLike(name: string, pattern: string): boolean {
  const source = pattern.replaceAll(/\\(.)|([%_])|([.*+?^${}()|[\]\\/])/gs, (_, escaped, wild, special) => {
    if (typeof escaped === 'string') return escaped.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    if (typeof wild === 'string') return wild === '%' ? '.*' : '.';
    return `\\${String(special)}`;
  });
  return new RegExp(`^${source}$`, 'su').test(name);
}
