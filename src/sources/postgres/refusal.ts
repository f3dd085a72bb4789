import { RespaldoError, type ErrorCode } from '../../errors.ts';

/** The part of a server's error that decides what it means. */
interface Raised {
  /** SQLSTATE. */
  readonly code: string;
  /** In the server's language. */
  readonly message: string;
  readonly hint?: string | undefined;
}

interface Meaning {
  readonly error: ErrorCode;
  readonly hint: string;
}

const REPLICATION_HINT =
  'The role needs the replication privilege: run `ALTER ROLE "<user>" REPLICATION` as a superuser.';
const HBA_HINT =
  'Check the role’s name, and let it in for replication: a line such as `host replication <user> <this machine>/32 ' +
  'scram-sha-256` in the server’s pg_hba.conf, then `SELECT pg_reload_conf()`.';

/** What a SQLSTATE means for a backup, and what to do about it. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  '28P01': {
    error: 'source-refused',
    hint: 'The password is wrong: set PGPASSWORD, ~/.pgpass or the plan’s password to the right one.',
  },
  '28000': { error: 'source-refused', hint: HBA_HINT },
  '42501': { error: 'source-refused', hint: REPLICATION_HINT },
  '3D000': { error: 'source-refused', hint: 'A physical backup names no database.' },
  '53300': {
    error: 'source-refused',
    hint: 'All connections or walsenders are taken: raise max_wal_senders (or max_connections) and restart the server. Where max_wal_senders is 0, wal_level may be minimal: a base backup needs replica (or logical).',
  },
  '53400': {
    error: 'source-refused',
    hint: 'All replication slots are in use: raise max_replication_slots, or drop slots that nobody needs.',
  },
  '55000': {
    error: 'source-refused',
    hint: 'The server’s settings do not allow a base backup: it needs wal_level = replica (or logical), max_wal_senders > 0 and max_replication_slots > 0; changing them takes a restart.',
  },
  '57P01': { error: 'source-lost', hint: 'The server was shut down or the connection terminated: try again.' },
  '57P02': { error: 'source-lost', hint: 'The server crashed: see its log, then try again.' },
  '57P03': { error: 'source-lost', hint: 'The server is starting up or shutting down: try again in a moment.' },
  XX001: {
    error: 'source-damaged',
    hint: 'Pages on the server’s disk are damaged: see the server log and repair or restore them. `--accept-damaged-pages` stores the snapshot as incomplete.',
  },
};

/**
 * What the server raised, as our error. Its own hint, where it gives one, stands first.
 * @param advice what to do about it, where that is not what it is for a physical backup
 */
export function refusal(raised: Raised, server: string, advice?: string): RespaldoError {
  const meaning = MEANINGS[raised.code] ?? byClass(raised.code);
  const hint = [raised.hint, advice ?? meaning.hint].filter((text) => text !== undefined && text !== '').join(' ');
  return new RespaldoError(meaning.error, `${server}: ${raised.message}`, {
    hint,
    context: { sqlstate: raised.code },
  });
}

function byClass(sqlstate: string): Meaning {
  const hint = `See the server log; PostgreSQL’s code for it is ${sqlstate}.`;
  return { error: sqlstate.startsWith('08') ? 'source-lost' : 'source-refused', hint };
}
