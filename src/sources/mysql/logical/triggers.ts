import { Session } from '../session.ts';
import { clientCharset, identifier, literal } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';

/** A trigger as the server lists it. */
export interface TriggerDefinition {
  readonly name: string;
  readonly table: string;
  /** `BEFORE INSERT`. */
  readonly when: string;
  readonly statement: string;
  /** `user@host`. */
  readonly definer: string;
  readonly sqlMode: string;
  readonly charset: string;
  readonly collation: string;
}

/** In the order in which they are to be made, which is that in which they act. */
export async function readTriggers(tools: Toolbox, database: string): Promise<readonly TriggerDefinition[]> {
  const rows = await Session.with(tools, (session) =>
    session.query(
      {
        name: 'TRIGGER_NAME',
        table: 'EVENT_OBJECT_TABLE',
        when: "CONCAT(ACTION_TIMING, ' ', EVENT_MANIPULATION)",
        statement: 'ACTION_STATEMENT',
        definer: 'DEFINER',
        sqlMode: 'SQL_MODE',
        charset: 'CHARACTER_SET_CLIENT',
        collation: 'COLLATION_CONNECTION',
      },
      `FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ${literal(database)}
       ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER, TRIGGER_NAME`,
    ),
  );
  return rows.map(({ name, table, when, statement, definer, sqlMode, charset, collation }) => ({
    ...{ name: name ?? '', table: table ?? '', when: when ?? '', statement: statement ?? '' },
    ...{ definer: definer ?? '', sqlMode: sqlMode ?? '', charset: charset ?? '', collation: collation ?? '' },
  }));
}

/**
 * Statements that make them. The dump program repeats what somebody once typed, with the database's name in it: restored
 * under another name, it would make a trigger in the old database.
 */
export function triggerStatements(triggers: readonly TriggerDefinition[]): string {
  return triggers.map(triggerStatement).join('');
}

function triggerStatement({
  name,
  table,
  when,
  statement,
  definer,
  sqlMode,
  charset,
  collation,
}: TriggerDefinition): string {
  const at = definer.lastIndexOf('@');
  const account = `${identifier(definer.slice(0, at))}@${identifier(definer.slice(at + 1))}`;
  const create = `CREATE DEFINER=${account} TRIGGER ${identifier(name)} ${when} ON ${identifier(table)} FOR EACH ROW ${statement}`;
  const delimiter = delimiterFor(create);
  return [
    `SET NAMES ${clientCharset(charset)};`,
    `SET collation_connection = ${literal(collation)};`,
    `SET sql_mode = ${literal(sqlMode)};`,
    `DELIMITER ${delimiter}`,
    create,
    delimiter,
    'DELIMITER ;',
    '',
  ].join('\n');
}

/** What does not occur in the text. */
function delimiterFor(text: string): string {
  let delimiter = ';;';
  while (text.includes(delimiter)) delimiter += ';';
  return delimiter;
}
