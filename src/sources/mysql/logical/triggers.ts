import { Session } from '../session.ts';
import { identifier, literal } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';
import { statementIn, type Circumstances } from './program-statements.ts';

/** A trigger as the server lists it. */
export interface TriggerDefinition extends Circumstances {
  readonly name: string;
  readonly table: string;
  /** `BEFORE INSERT`. */
  readonly when: string;
  readonly statement: string;
  /** `user@host`. */
  readonly definer: string;
}

/** In the order in which they are to be made, which is that in which they act. */
export function readTriggers(tools: Toolbox, database: string): Promise<readonly TriggerDefinition[]> {
  return Session.with(tools, async (session) => {
    const rows = await session.query(
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
    );
    const found: TriggerDefinition[] = [];
    for (const { name, table, when, statement, definer, sqlMode, charset, collation } of rows) {
      const shown = await session.show(`SHOW CREATE TRIGGER ${identifier(database)}.${identifier(name ?? '')}`);
      found.push({
        ...{ name: name ?? '', table: table ?? '', when: when ?? '', definer: definer ?? '' },
        ...{ statement: statementOf(shown[0]?.[2] ?? '', statement ?? '') },
        ...{ sqlMode: sqlMode ?? '', charset: charset ?? '', collation: collation ?? '' },
      });
    }
    return found;
  });
}

const QUOTED = '`(?:[^`]|``)*`|"(?:[^"]|"")*"';
/** What comes before the statement of a trigger, as somebody typed it. */
const BEFORE = new RegExp(
  `^(?:${QUOTED}|'(?:[^'\\\\]|\\\\.|'')*'|/\\*.*?\\*/|(?:#|--\\s)[^\\n]*\\n|[^\`"'])*?\\bFOR\\s+EACH\\s+ROW\\b\\s*(?:(?:FOLLOWS|PRECEDES)\\s+(?:${QUOTED}|[^\\s\`"]+)\\s*)?`,
  'is',
);

/**
 * Servers list a trigger's statement with its texts in UTF-8, without what says of which character set they are: others, and
 * bytes, would become something else. What was typed has them.
 * @param listed is taken where that cannot be told apart. Exported for tests.
 */
export function statementOf(typed: string, listed: string): string {
  const [before] = BEFORE.exec(typed) ?? [];
  return before === undefined || typed.endsWith(listed) ? listed : typed.slice(before.length);
}

/**
 * Statements that make them. The dump program repeats what somebody once typed, with the database's name in it: restored
 * under another name, it would make a trigger in the old database.
 */
export function triggerStatements(triggers: readonly TriggerDefinition[]): string {
  return triggers.map(triggerStatement).join('');
}

function triggerStatement({ name, table, when, statement, definer, ...circumstances }: TriggerDefinition): string {
  const at = definer.lastIndexOf('@');
  const account = `${identifier(definer.slice(0, at))}@${identifier(definer.slice(at + 1))}`;
  const create = `CREATE DEFINER=${account} TRIGGER ${identifier(name)} ${when} ON ${identifier(table)} FOR EACH ROW ${statement}`;
  return statementIn(circumstances, create);
}
