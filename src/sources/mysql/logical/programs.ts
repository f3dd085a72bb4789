import { RespaldoError } from '../../../errors.ts';
import { isAtLeast } from '../product.ts';
import { Session } from '../session.ts';
import { identifier, literal } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';
import { programsArguments, type Programs } from './dump-arguments.ts';
import type { ContentInventory, ServerInventory } from './inventory.ts';
import { programStatements, type ProgramDefinition } from './program-statements.ts';
import { readTriggers, triggerStatements } from './triggers.ts';

const SANDBOX = '/*M!999999';
const END = /^-- Dump completed/m;

/** Routines, triggers or events of a database as SQL; empty where it has none. @throws RespaldoError `source-lost`, `source-refused` */
export async function programsText(
  tools: Toolbox,
  server: ServerInventory,
  kind: Programs,
  database: string,
  content: ContentInventory,
): Promise<string> {
  if (content[kind].length === 0) return '';
  if (kind !== 'triggers') return programStatements(await readPrograms(tools, kind, database));
  if (listsTriggers(server)) return triggerStatements(await readTriggers(tools, database));
  return dumpedTriggers(tools, server, database, content);
}

/** From MariaDB 12 on a trigger may act on several events, and on single columns, which its list does not tell. */
function listsTriggers({ version }: ServerInventory): boolean {
  return !(version.product === 'mariadb' && isAtLeast(version, 12));
}

/**
 * As the server shows them. The dump programs end statements by `;;`, whatever is in them: of a routine with `;;` in a text they
 * write what cannot be read, and over such an event they never end.
 */
function readPrograms(
  tools: Toolbox,
  kind: 'routines' | 'events',
  database: string,
): Promise<readonly ProgramDefinition[]> {
  return Session.with(tools, async (session) => {
    const [schema] = await session.query(
      { collation: 'DEFAULT_COLLATION_NAME' },
      `FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${literal(database)}`,
    );
    const listed = await session.query(
      kind === 'events' ? { name: 'EVENT_NAME', type: "'EVENT'" } : { name: 'ROUTINE_NAME', type: 'ROUTINE_TYPE' },
      kind === 'events'
        ? `FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ${literal(database)} ORDER BY EVENT_NAME`
        : `FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ${literal(database)} ORDER BY ROUTINE_TYPE, ROUTINE_NAME`,
    );
    const found: ProgramDefinition[] = [];
    for (const { name, type } of listed) {
      const own = { name: name ?? '', type: type ?? '' };
      const what = `${own.type} ${identifier(database)}.${identifier(own.name)}`;
      const [[, sqlMode = '', ...shown] = []] = await session.show(`SHOW CREATE ${what}`);
      const timeZone = kind === 'events' ? shown.shift() : undefined;
      const [create = 'NULL', charset = '', collation = '', made = ''] = shown;
      if (create === 'NULL') throw hidden(tools, what);
      const altered = made !== schema?.collation && { databaseCollation: [made, schema?.collation ?? ''] as const };
      found.push({ ...own, create, sqlMode, charset, collation, ...(timeZone && { timeZone }), ...altered });
    }
    return found;
  });
}

function hidden({ server }: Toolbox, what: string): RespaldoError {
  return new RespaldoError('source-refused', `${server}: the account may not see what is in ${what}`, {
    hint: 'Let it SELECT from *.*, or be the definer; on MariaDB: GRANT SELECT ON mysql.proc.',
  });
}

async function dumpedTriggers(
  tools: Toolbox,
  server: ServerInventory,
  database: string,
  content: ContentInventory,
): Promise<string> {
  const { version } = await tools.program('dump');
  const views = content.views.map(({ name }) => ({ database, name }));
  const args = programsArguments(version, server, 'triggers', database, views);
  const text = await tools.text({ role: 'dump', args });
  if (!END.test(text))
    throw new RespaldoError('source-lost', `${tools.server}: the dump of the triggers of "${database}" was cut short`, {
      hint: 'Nothing was stored as a snapshot. See the server’s log, then try again.',
    });
  return withoutFrame(text);
}

/** Without comments at its beginning and end, which tell of the dump and not of the database. */
function withoutFrame(text: string): string {
  const lines = text.split('\n');
  const isFrame = (line: string): boolean => line === '' || line.startsWith('--') || line.startsWith(SANDBOX);
  const first = lines.findIndex((line) => !isFrame(line));
  const last = lines.findLastIndex((line) => !isFrame(line));
  return first < 0 ? '' : `${lines.slice(first, last + 1).join('\n')}\n`;
}
