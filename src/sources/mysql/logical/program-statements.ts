/** Statements that make routines, events and triggers, whatever is in them. Pure. */
import { clientCharset, identifier, literal } from '../sql.ts';

/** What a definition means depends on all of these. */
export interface Circumstances {
  readonly sqlMode: string;
  readonly charset: string;
  readonly collation: string;
}

/** A routine, package or event as the server shows it. */
export interface ProgramDefinition extends Circumstances {
  readonly name: string;
  /** `PROCEDURE`, `PACKAGE BODY`, `EVENT`. */
  readonly type: string;
  readonly create: string;
  /** Of an event. */
  readonly timeZone?: string;
  /** The database's, which parameters have that name none, when it was made; and now. Absent: they are the same. */
  readonly databaseCollation?: readonly [made: string, now: string];
}

export function programStatements(programs: readonly ProgramDefinition[]): string {
  return programs
    .map(({ name, type, create, timeZone, databaseCollation, ...circumstances }) => {
      const drop = `DROP ${type} IF EXISTS ${identifier(name)};`;
      const zone = timeZone === undefined ? [] : [`SET time_zone = ${literal(timeZone)};`];
      // Without its name: it may be restored under another one.
      const collate = (to: string | undefined): readonly string[] =>
        to === undefined ? [] : [`ALTER DATABASE COLLATE = ${to};`];
      return statementIn(
        circumstances,
        create,
        [...zone, drop, ...collate(databaseCollation?.[0])],
        collate(databaseCollation?.[1]),
      );
    })
    .join('');
}

/** @param before statements that come before it, under its circumstances */
export function statementIn(
  { sqlMode, charset, collation }: Circumstances,
  create: string,
  before: readonly string[] = [],
  after: readonly string[] = [],
): string {
  const delimiter = delimiterFor(create);
  return [
    `SET NAMES ${clientCharset(charset)};`,
    `SET collation_connection = ${literal(collation)};`,
    `SET sql_mode = ${literal(sqlMode)};`,
    ...before,
    `DELIMITER ${delimiter}`,
    create,
    delimiter,
    'DELIMITER ;',
    ...after,
    '',
  ].join('\n');
}

/** What does not occur in the text. */
function delimiterFor(text: string): string {
  let delimiter = ';;';
  while (text.includes(delimiter)) delimiter += ';';
  return delimiter;
}
