/** The plan's own demands on what was restored. */
import { judge, type Assertion, type DrillCheck, type DrillSettings } from '../../../domain/drill.ts';
import { isError, throwIfAborted } from '../../../errors.ts';
import {
  assertionQuery,
  checkEach,
  placeAssertions as placeIn,
  type PlacedAssertion,
} from '../../server/placed-assertions.ts';
import type { PostgresConnection } from '../connection.ts';
import { inDatabase } from './databases.ts';
import type { ThrowAwayServer } from './throwaway-server.ts';

/** PostgreSQL's own, which nobody means who names none. */
const OWN = ['postgres', 'template0', 'template1'];

/** @throws RespaldoError `config` for an assertion of nobody knows which database. */
export function placeAssertions(
  assertions: readonly Assertion[],
  databases: readonly string[],
): readonly PlacedAssertion[] {
  const others = databases.filter((name) => !OWN.includes(name));
  const [only = 'postgres'] = others;
  return placeIn(assertions, databases, others.length > 1 ? undefined : only);
}

/** Each in a transaction of its own that can change nothing. */
export async function checkAssertions(
  server: ThrowAwayServer,
  placed: readonly PlacedAssertion[],
  { timeoutSeconds }: Pick<DrillSettings, 'timeoutSeconds'>,
  signal: AbortSignal,
): Promise<readonly DrillCheck[]> {
  return checkEach(placed, ({ assertion, database }) => ask(server, database, assertion, timeoutSeconds, signal));
}

async function ask(
  server: ThrowAwayServer,
  database: string,
  assertion: Assertion,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<Omit<DrillCheck, 'name'>> {
  return inDatabase(server, database, signal, async (connection) => {
    try {
      return judge(assertion, await firstValues(connection, assertion.sql, timeoutSeconds));
    } catch (error) {
      throwIfAborted(signal);
      if (!isError(error, 'source-refused') && !isError(error, 'source-damaged')) throw error;
      const said = error.message.replace(`${connection.server}: `, '');
      const late =
        error.context['sqlstate'] === '57014' ? ` (it may take ${String(timeoutSeconds)} s: drill.timeout)` : '';
      return { passed: false, detail: `${said}${late}` };
    }
  });
}

async function firstValues(
  connection: PostgresConnection,
  sql: string,
  timeoutSeconds: number,
): Promise<readonly (string | null)[]> {
  await connection.query('BEGIN READ ONLY');
  await connection.query(`SET LOCAL statement_timeout = '${String(timeoutSeconds)}s'`);
  const rows = await connection.query(assertionQuery(sql));
  return rows.map((row) => textOf(Object.values(row)[0]));
}

/** As PostgreSQL writes it, as far as that matters: what is compared is truth, numbers and words. */
function textOf(value: unknown): string | null {
  switch (typeof value) {
    case 'boolean':
      return value ? 't' : 'f';
    case 'string':
      return value;
    case 'number':
    case 'bigint':
      return String(value);
    case 'object':
    case 'undefined':
    case 'function':
    case 'symbol':
      if (value instanceof Date) return value.toISOString();
      return value === null || value === undefined ? null : JSON.stringify(value);
  }
}
