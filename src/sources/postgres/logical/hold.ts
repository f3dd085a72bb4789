import { lockStatement } from './half-made.ts';
import { PsqlSession } from './psql-session.ts';
import { literal } from './sql.ts';
import type { Toolbox } from './toolbox.ts';

/** Servers end idle sessions if they are told to, from version 14 on. */
const PATIENT = `SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'`;

/**
 * A session that holds the locks of the databases that a restore makes, for as long as it goes on: when Respaldo is killed
 * the session ends, and everybody sees that nobody works on them any more. It is a guest of one of these databases: in
 * another one it would be in somebody's way.
 */
export class Hold implements AsyncDisposable {
  readonly #tools: Toolbox;
  readonly #held: string[] = [];
  #session: { readonly psql: PsqlSession; readonly pid: number; readonly database: string } | undefined;

  constructor(tools: Toolbox) {
    this.#tools = tools;
  }

  /** @param side a database that is there. */
  async take(side: string): Promise<void> {
    this.#held.push(side);
    try {
      await this.#session?.psql.execute(lockStatement(side));
    } catch {
      // Nobody can hold a session for hours through every network.
      await this.#session?.psql.abandon();
      this.#session = undefined;
    }
    this.#session ??= await this.#open(side);
  }

  /** What ends it from another session, which has taken its locks before: nobody may be in a database that is renamed. */
  get endStatements(): readonly string[] {
    const { pid, database } = this.#session ?? {};
    if (pid === undefined || database === undefined) return [];
    return [
      ...this.#held.map(lockStatement),
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ${String(pid)} AND datname = ${literal(database)}`,
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session?.psql.abandon();
    this.#session = undefined;
  }

  async #open(database: string) {
    const psql = new PsqlSession(this.#tools, database);
    try {
      await psql.execute(PATIENT);
      for (const name of this.#held) await psql.execute(lockStatement(name));
      const [row] = await psql.query('SELECT pg_backend_pid() AS pid');
      return { psql, pid: Number(row?.pid), database };
    } catch (error) {
      await psql.abandon();
      throw error;
    }
  }
}
