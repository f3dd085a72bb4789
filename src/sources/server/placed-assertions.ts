/** The plan's own demands on what was restored, and where they are asked. */
import type { Assertion, DrillCheck } from '../../domain/drill.ts';
import { RespaldoError } from '../../errors.ts';

/** An assertion, and where it is asked. */
export interface PlacedAssertion {
  readonly assertion: Assertion;
  readonly database: string;
}

/**
 * @param usual the database that is meant where none is named. Undefined: it has to be named.
 * @throws RespaldoError `config` for an assertion of nobody knows which database.
 */
export function placeAssertions(
  assertions: readonly Assertion[],
  databases: readonly string[],
  usual: string | undefined,
): readonly PlacedAssertion[] {
  const there = `The snapshot holds: ${databases.join(', ')}.`;
  return assertions.map((assertion) => {
    const meant = assertion.database ?? usual;
    if (meant === undefined)
      throw new RespaldoError('config', `the assertion does not say which database it is about: ${assertion.sql}`, {
        hint: `Write { database: name, sql: "SELECT …" }, or add --database to --assert. ${there}`,
      });
    if (!databases.includes(meant))
      throw new RespaldoError('config', `an assertion is about the database "${meant}", which is not there`, {
        hint: there,
      });
    return { assertion, database: meant };
  });
}

/** One after the other. */
export async function checkEach(
  placed: readonly PlacedAssertion[],
  ask: (placed: PlacedAssertion) => Promise<Omit<DrillCheck, 'name'>>,
): Promise<readonly DrillCheck[]> {
  const checks: DrillCheck[] = [];
  for (const one of placed) {
    const name = `assertion ${one.assertion.sql.trim().replace(/\s+/g, ' ')}`;
    checks.push({ name, ...(await ask(one)) });
  }
  return checks;
}

/** As the rows of a subquery, so that it is one SELECT and nothing else; more than one row is told from one. */
export function assertionQuery(sql: string): string {
  return `SELECT * FROM (${sql.trim().replace(/;+$/, '')}\n) AS assertion LIMIT 2`;
}
