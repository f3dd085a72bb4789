import { RespaldoError } from '../../../errors.ts';
import type { PostgresAddress } from '../address.ts';
import { connect, type PostgresConnection, type SqlPurpose } from '../connection.ts';

/** In the place of what `PGOPTIONS` may hold: psql does not get that either. */
const OPTIONS = '-c synchronize_seqscans=off';

/** About a database, or too many sessions: another time the same login may do. */
const PASSING = ['3D000', '42501', '53300', '57P03'];
const WRONG_PASSWORD = '28P01';

/**
 * How this process itself logs in, to a server that it can reach as PostgreSQL's programs do. No program has to start
 * for it, and none stands between the server and us. Where the server knows ways that only libpq knows (or lets in
 * another user of the system), it is not tried again.
 */
export class DirectLogin {
  readonly #address: PostgresAddress;
  readonly #password: string | undefined;
  #isRefused = false;

  constructor(address: PostgresAddress, password: string | undefined) {
    this.#address = address;
    this.#password = password;
  }

  /**
   * Undefined: it cannot be had; one of the programs may know how, or tell why not.
   * @throws RespaldoError `cancelled`, and `source-refused` for the password
   */
  async connect(purpose: Omit<SqlPurpose, 'options'>, signal: AbortSignal): Promise<PostgresConnection | undefined> {
    if (this.#isRefused) return undefined;
    try {
      return await connect(this.#address, this.#password, { ...purpose, options: OPTIONS }, signal);
    } catch (error) {
      signal.throwIfAborted();
      // Whoever asks again gets the same answer, and some servers lock out who asks too often.
      if (this.#password !== undefined && isRefusedBy(error, WRONG_PASSWORD)) throw error;
      this.#isRefused ||= !isRefusedBy(error, ...PASSING);
      return undefined;
    }
  }
}

function isRefusedBy(error: unknown, ...states: readonly string[]): boolean {
  return error instanceof RespaldoError && states.includes(String(error.context.sqlstate));
}
