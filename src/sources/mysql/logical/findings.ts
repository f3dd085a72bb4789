/** What a dump cannot hold, or may not have seen. Pure. */
import type { Finding } from '../../../domain/finding.ts';
import type { DatabaseFacts } from './facts.ts';
import type { ContentInventory, DatabaseInventory, ServerInventory } from './inventory.ts';
import { privilegesOf, seesRoutines } from './privileges.ts';

const NAMED = 5;

export function findingsOf(
  server: ServerInventory,
  databases: readonly (DatabaseInventory & { readonly content: ContentInventory })[],
  isLocking: boolean,
): readonly Finding[] {
  return [
    ...databases.flatMap(({ name, content }) => (isLocking ? [] : inconsistent(name, content))),
    ...databases.flatMap(({ name, content }) => versioned(name, content)),
    ...(seesRoutines(privilegesOf(server.grants)) ? [] : [routinesUnseen(server.account)]),
    ...(server.withoutEvents ? [eventsUnseen] : []),
  ];
}

function inconsistent(database: string, { tables }: ContentInventory): Finding[] {
  const odd = tables.filter(({ consistent }) => !consistent);
  if (odd.length === 0) return [];
  return [
    {
      severity: 'note',
      code: 'tables-not-transactional',
      prominent: true,
      subject: database,
      message: `${named(odd.map(({ name, engine }) => `${name} (${engine})`))} of "${database}" are not transactional: what was written to them during the dump may be in it in part. ALTER TABLE … ENGINE=InnoDB mends it, or arg=--lock-all-tables, which stops all writing while the dump runs`,
    },
  ];
}

function versioned(database: string, { tables }: ContentInventory): Finding[] {
  const odd = tables.filter((table) => table.versioned);
  if (odd.length === 0) return [];
  return [
    {
      severity: 'note',
      code: 'history-not-dumped',
      prominent: true,
      subject: database,
      message: `${named(odd.map(({ name }) => name))} of "${database}" keep their history (WITH SYSTEM VERSIONING): the dump holds the present rows alone`,
    },
  ];
}

const eventsUnseen: Finding = {
  severity: 'note',
  code: 'events-unseen',
  prominent: true,
  message:
    'the server was started with event_scheduler=DISABLED and shows no events: if there are any, they are not in the snapshot',
};

function routinesUnseen(account: string): Finding {
  return {
    severity: 'note',
    code: 'routines-unseen',
    prominent: true,
    message: `${account} does not see every routine: those of others may be missing. GRANT SELECT ON mysql.proc (MariaDB) or SHOW_ROUTINE ON *.* (MySQL) lets it`,
  };
}

/** Told once, when nobody was made to wait. */
export const lockRefused: Finding = {
  severity: 'note',
  code: 'lock-refused',
  message:
    'writing could not be stopped for a moment, since somebody used a table for long, the server does not allow it, or the address leads to several servers: the dump is one state, read by one connection, and for MySQL without its position in the binary log',
};

export function accountsMissing(account: string): Finding {
  return {
    severity: 'note',
    code: 'accounts-missing',
    prominent: true,
    message: `${account} may not read mysql.user, so accounts and grants are not backed up: GRANT SELECT ON mysql.* lets it`,
  };
}

/** @param names of those that could not be read, or not even be shown. */
export function viewsBroken(database: string, names: readonly string[]): Finding {
  return {
    severity: 'note',
    code: 'views-broken',
    prominent: true,
    subject: database,
    message: `the views ${named(names)} of "${database}" are broken (a table, a column or the definer is missing): nobody can read them, and a restore leaves them out; their definitions are comments in views.sql`,
  };
}

export function shrunken({ name, dumpBytes }: DatabaseFacts, before: DatabaseFacts | undefined): Finding {
  return {
    severity: 'incomplete',
    code: 'dump-shrunken',
    subject: name,
    message: `the dump of "${name}" has ${String(dumpBytes)} bytes, the one before had ${String(before?.dumpBytes ?? 0)}: if that is as it should be, say so once by smaller=accept in the address`,
  };
}

function named(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${String(names.length - NAMED)} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}
