import { throwIfAborted } from '../../../errors.ts';
import type { PostgresConnection } from '../connection.ts';
import { asJson, type Row, type SqlSession } from './sql-session.ts';

/** A session over a connection of our own: it costs a tenth of what starting psql does. */
export class DirectSession implements SqlSession {
  readonly #connection: PostgresConnection;
  readonly #signal: AbortSignal;

  constructor(connection: PostgresConnection, signal: AbortSignal) {
    this.#connection = connection;
    this.#signal = signal;
  }

  async execute(sql: string): Promise<void> {
    await this.#ask(sql);
  }

  async query(sql: string): Promise<readonly Row[]> {
    return (await this.#ask(asJson(sql))).map(({ answer }) => answer as Row);
  }

  async close(): Promise<void> {
    await this.#ask('SELECT 1');
    await this.#connection.close();
  }

  abandon(): Promise<void> {
    return this.#connection.close();
  }

  async #ask(sql: string): Promise<readonly Row[]> {
    try {
      return await this.#connection.query(sql);
    } catch (error) {
      throwIfAborted(this.#signal);
      throw error;
    }
  }
}
