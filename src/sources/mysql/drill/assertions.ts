/** The plan's own demands on what was restored. */
import { judge, type Assertion, type DrillCheck, type DrillSettings } from '../../../domain/drill.ts';
import { isError, RespaldoError, throwIfAborted } from '../../../errors.ts';
import {
  assertionQuery,
  checkEach,
  placeAssertions as placeIn,
  type PlacedAssertion,
} from '../../server/placed-assertions.ts';
import { Session } from '../session.ts';
import { identifier } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';

/** @throws RespaldoError `config` for an assertion of nobody knows which database. */
export function placeAssertions(
  assertions: readonly Assertion[],
  databases: readonly string[],
): readonly PlacedAssertion[] {
  return placeIn(assertions, databases, databases.length === 1 ? databases[0] : undefined);
}

/** Each in a transaction of its own that can change nothing. */
export async function checkAssertions(
  tools: Toolbox,
  placed: readonly PlacedAssertion[],
  { timeoutSeconds }: Pick<DrillSettings, 'timeoutSeconds'>,
): Promise<readonly DrillCheck[]> {
  return checkEach(placed, ({ assertion, database }) => ask(tools, database, assertion, timeoutSeconds));
}

async function ask(
  tools: Toolbox,
  database: string,
  assertion: Assertion,
  timeoutSeconds: number,
): Promise<Omit<DrillCheck, 'name'>> {
  try {
    const rows = await Session.with(tools, async (session) => {
      await session.execute(`USE ${identifier(database)}`);
      // Each product takes its own limit, and for the other's it is a comment.
      await session.execute(`/*M!100108 SET SESSION max_statement_time = ${String(timeoutSeconds)} */`);
      await session.execute('START TRANSACTION READ ONLY');
      return session.show(assertionQuery(assertion.sql));
    });
    return judge(
      assertion,
      rows.map(([value = 'NULL']) => valueOf(value, assertion)),
    );
  } catch (error) {
    throwIfAborted(tools.signal);
    const isAnswer = ['source-refused', 'source-missing', 'source-lost'] as const;
    if (!(error instanceof RespaldoError) || !isAnswer.some((code) => isError(error, code))) throw error;
    const late = error.context['number'] === LATE ? ` (it may take ${String(timeoutSeconds)} s: drill.timeout)` : '';
    return { passed: false, detail: `${error.message.replace(`${tools.server}: `, '')}${late}` };
  }
}

/** A statement that took too long. */
const LATE = 1969;

/** What is true is a number here: where a truth is asked for, it is told as one. */
function valueOf(value: string, { equals, atLeast, atMost }: Assertion): string | null {
  if (value === 'NULL') return null;
  const wantsTruth = typeof equals === 'boolean' || (equals ?? atLeast ?? atMost) === undefined;
  return wantsTruth && /^-?\d+$/.test(value) ? (Number(value) === 0 ? 'f' : 't') : value;
}
