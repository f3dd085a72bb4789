import { DirectSession } from './direct-session.ts';
import { PsqlSession } from './psql-session.ts';
import { during, type SqlSession } from './sql-session.ts';
import { adviceOn } from './tool-refusal.ts';
import type { Toolbox } from './toolbox.ts';

/** A connection of our own where the server takes it, or one that psql holds. @throws RespaldoError from psql: when it is used */
export async function openSession(tools: Toolbox, database: string): Promise<SqlSession> {
  const name = `${tools.server}, database "${database}"`;
  const own = await tools.direct?.connect({ database, name, advise: adviceOn }, tools.signal);
  return own === undefined ? new PsqlSession(tools, database) : new DirectSession(own, tools.signal);
}

/** A session that lasts as long as the work, which has failed if the session has. */
export async function withSession<T>(
  tools: Toolbox,
  database: string,
  work: (session: SqlSession) => Promise<T>,
): Promise<T> {
  return during(await openSession(tools, database), work);
}
