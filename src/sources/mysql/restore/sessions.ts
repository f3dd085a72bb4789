import { RespaldoError } from '../../../errors.ts';
import { Session } from '../session.ts';
import { literal } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';

/** There is no such session: it has ended by itself. */
const GONE = 1094;

/** Ends the sessions of others that have chosen this database. */
export async function disconnect(tools: Toolbox, database: string): Promise<void> {
  const sessions = await Session.with(tools, (session) =>
    session.query(
      { id: 'ID' },
      `FROM information_schema.PROCESSLIST WHERE DB = ${literal(database)} AND ID <> CONNECTION_ID()`,
    ),
  );
  for (const { id } of sessions)
    try {
      await Session.with(tools, (session) => session.execute(`KILL ${id ?? ''}`));
    } catch (error) {
      if (!(error instanceof RespaldoError) || error.context['number'] !== GONE) throw error;
    }
}
