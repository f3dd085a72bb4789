import { RespaldoError } from '../../../errors.ts';
import type { Toolbox } from '../toolbox.ts';
import { isAtLeast } from '../product.ts';
import { programsArguments, type Programs } from './dump-arguments.ts';
import type { ContentInventory, ServerInventory } from './inventory.ts';
import { readTriggers, triggerStatements } from './triggers.ts';

const SANDBOX = '/*M!999999';
const END = /^-- Dump completed/m;

/** Routines, triggers or events of a database as SQL; empty where it has none. @throws RespaldoError `source-lost` */
export async function programsText(
  tools: Toolbox,
  server: ServerInventory,
  kind: Programs,
  database: string,
  content: ContentInventory,
): Promise<string> {
  if (content[kind].length === 0) return '';
  if (kind === 'triggers' && listsTriggers(server)) return triggerStatements(await readTriggers(tools, database));
  const { version } = await tools.program('dump');
  const views = content.views.map(({ name }) => ({ database, name }));
  const args = programsArguments(version, server, kind, database, views);
  const text = await tools.text({ role: 'dump', args });
  if (!END.test(text))
    throw new RespaldoError('source-lost', `${tools.server}: the dump of the ${kind} of "${database}" was cut short`, {
      hint: 'Nothing was stored as a snapshot. See the server’s log, then try again.',
    });
  return withoutFrame(text);
}

/** From MariaDB 12 on a trigger may act on several events, and on single columns, which its list does not tell. */
function listsTriggers({ version }: ServerInventory): boolean {
  return !(version.product === 'mariadb' && isAtLeast(version, 12));
}

/** Without comments at its beginning and end, which tell of the dump and not of the database. */
function withoutFrame(text: string): string {
  const lines = text.split('\n');
  const isFrame = (line: string): boolean => line === '' || line.startsWith('--') || line.startsWith(SANDBOX);
  const first = lines.findIndex((line) => !isFrame(line));
  const last = lines.findLastIndex((line) => !isFrame(line));
  return first < 0 ? '' : `${lines.slice(first, last + 1).join('\n')}\n`;
}
