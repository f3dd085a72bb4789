import { RespaldoError } from '../../../errors.ts';
import { refusal } from '../refusal.ts';

/** What the tools say where a connection or a command fails, and what it means; the first that fits. */
const SAYINGS: readonly { readonly says: RegExp; readonly sqlstate: string; readonly hint?: string }[] = [
  { says: /password authentication failed|authentication failed for user/, sqlstate: '28P01' },
  { says: /no password supplied/, sqlstate: '28P01', hint: 'Set PGPASSWORD, ~/.pgpass or the plan’s password.' },
  {
    says: /no pg_hba\.conf entry|Peer authentication failed|Ident authentication failed|role ".*" does not exist/,
    sqlstate: '28000',
    hint: 'Check the role’s name, and let it in: a line such as `host all <user> <this machine>/32 scram-sha-256` in the server’s pg_hba.conf, then `SELECT pg_reload_conf()`.',
  },
  { says: /database ".*" does not exist/, sqlstate: '3D000', hint: 'Check the name: `psql -l` lists what there is.' },
  {
    says: /permission denied|must be (?:owner|superuser|member)|query would be affected by row-level security/,
    sqlstate: '42501',
    hint: 'The role may not read all: run `GRANT pg_read_all_data TO "<user>"` as a superuser (for large objects and row-level security it must be a superuser, or have BYPASSRLS).',
  },
  {
    says: /canceling statement due to lock timeout|lock timeout/,
    sqlstate: '55P03',
    hint: 'Somebody holds a lock on a table for long (ALTER TABLE, VACUUM FULL): see pg_stat_activity, then try again.',
  },
  {
    says: /out of shared memory/,
    sqlstate: '53200',
    hint: 'There are more tables than locks: raise max_locks_per_transaction and restart the server.',
  },
  {
    says: /No space left on device|could not extend file/,
    sqlstate: '53100',
    hint: 'The server’s disk is full: free space there.',
  },
  {
    says: /is being accessed by other users/,
    sqlstate: '55006',
    hint: 'End their sessions, or let --disconnect do it.',
  },
  {
    says: /checkpoint request failed/,
    sqlstate: '53100',
    hint: 'The server could not write to its disk: its log says why. Most likely it is full: free space there.',
  },
  { says: /remaining connection slots|too many (?:connections|clients)/, sqlstate: '53300' },
  {
    says: /terminating connection (?:due to (?:administrator command|unexpected postmaster exit)|because of crash)|server closed the connection|SSL connection has been closed|connection to server was lost/,
    sqlstate: '57P01',
  },
  { says: /the database system is (?:starting up|shutting down|in recovery)/, sqlstate: '57P03' },
  { says: /aborting because of server version mismatch/, sqlstate: '0A000' },
];

/** What to do about it, by the server's words. Undefined: nothing that we know. */
export function adviceOn(said: string): string | undefined {
  return SAYINGS.find(({ says }) => says.test(said))?.hint;
}

const UNREACHABLE =
  /could not connect|connection to server .* failed|could not translate host name|Connection refused|timeout expired|No such file or directory/;

/** A failure of one of PostgreSQL's programs, as what it says of the server. */
export function explainTool(error: unknown, server: string, database: string | undefined): unknown {
  if (!(error instanceof RespaldoError) || error.code !== 'command-failed') return error;
  const said = essence(error.message);
  const where = database === undefined ? server : `${server}, database "${database}"`;
  const known = SAYINGS.find(({ says }) => says.test(said));
  if (known !== undefined) return refusal({ code: known.sqlstate, message: said }, where, known.hint);
  if (UNREACHABLE.test(said))
    return new RespaldoError('source-lost', `cannot reach ${server}: ${said}`, {
      hint: 'Is it running, and does it listen on this address (listen_addresses)? A firewall may also be in between.',
      cause: error,
    });
  return new RespaldoError('command-failed', `${where}: ${said}`, {
    ...(error.hint !== undefined && { hint: error.hint }),
    context: error.context,
    cause: error,
  });
}

/** What a restore is refused needs another advice than a dump. */
export function explainRestore(error: unknown): unknown {
  if (!(error instanceof RespaldoError)) return error;
  const { code, message, context } = error;
  const hint = RESTORE_HINTS.find(({ sqlstate, says }) => sqlstate === context.sqlstate && says.test(message))?.hint;
  return hint === undefined ? error : new RespaldoError(code, message, { hint, context, cause: error });
}

const RESTORE_HINTS = [
  {
    sqlstate: '42501',
    says: /permission denied|must be (?:owner|superuser|member|able)/,
    hint: 'The role may not make all that is restored: log in as a superuser, or as a member of the roles to whom it belongs.',
  },
  {
    sqlstate: '28000',
    says: /role ".*" does not exist/,
    hint: 'Make the role there before (CREATE ROLE), or dump without owners and rights: pg_dump --no-owner --no-privileges.',
  },
];

/** The server's or the tool's own words: what the program's name and the place in a script add says nothing here. */
function essence(message: string): string {
  const lines = message.split('\n').filter((line) => line !== '');
  const first = lines.findIndex((line) => /\b(?:ERROR|FATAL|PANIC|error):/.test(line));
  const told = first < 0 ? lines : lines.slice(first, first + 3);
  return told
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .replace(/^.*?(?:ERROR|FATAL|PANIC):\s+/, '')
    .replace(/^\S+: error: /, '');
}
