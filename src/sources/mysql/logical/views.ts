import { RespaldoError } from '../../../errors.ts';
import { Session } from '../session.ts';
import { clientCharset, identifier, literal } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';
import type { ProgramInventory } from './inventory.ts';
import { withBytesAsDigits } from './shown-definition.ts';

/** A view as the server shows it. */
export interface ViewDefinition {
  readonly name: string;
  /** `CREATE ALGORITHM=… VIEW …`, in which tables of its own database have no database before them. */
  readonly create: string;
  readonly charset: string;
  readonly collation: string;
  readonly columns: readonly string[];
  /** `orphaned`: its definer is gone, so that nobody can read it, but it can be made; `broken`: what it reads is gone. */
  readonly state: 'sound' | 'orphaned' | 'broken';
}

/** @returns those that the server could show; the rest is too broken for it. */
export async function readViews(
  tools: Toolbox,
  database: string,
  views: readonly ProgramInventory[],
): Promise<readonly ViewDefinition[]> {
  if (views.length === 0) return [];
  const columns = await columnsOf(tools, database);
  const found: ViewDefinition[] = [];
  // A view that cannot be shown ends the session: then the next one has a new session.
  let next = 0;
  while (next < views.length) {
    const before = next;
    try {
      await Session.with(tools, async (session) => {
        await session.execute(`USE ${identifier(database)}`);
        for (; next < views.length; next++) {
          const name = views[next]?.name ?? '';
          const [row] = await session.showBytes(`SHOW CREATE VIEW ${identifier(name)}`);
          const [, create = Buffer.alloc(0), charset = '', collation = ''] = row ?? [];
          const own = columns.get(name) ?? [];
          found.push({
            name,
            create: withoutDatabase(withBytesAsDigits(create), database),
            charset: charset.toString(),
            collation: collation.toString(),
            columns: own,
            state: own.length > 0 ? 'sound' : 'broken',
          });
        }
      });
    } catch (error) {
      const isAboutView = error instanceof RespaldoError && BROKEN.includes(Number(error.context['number']));
      if (!isAboutView || next >= views.length) throw error;
      next = Math.max(next, before) + 1;
    }
  }
  return Promise.all(found.map(async (view) => ({ ...view, state: await stateOf(tools, database, view) })));
}

async function stateOf(
  tools: Toolbox,
  database: string,
  { name, columns }: ViewDefinition,
): Promise<ViewDefinition['state']> {
  if (columns.length > 0) return 'sound';
  try {
    const select = `SELECT * FROM ${identifier(database)}.${identifier(name)} LIMIT 0`;
    await Session.with(tools, (session) => session.execute(select));
    return 'orphaned';
  } catch (error) {
    if (!(error instanceof RespaldoError) || error.context['number'] === undefined) throw error;
    return error.context['number'] === NO_DEFINER ? 'orphaned' : 'broken';
  }
}

const NO_DEFINER = 1449;
/** It refers to what is not there, or its definer is gone. */
const BROKEN = [1356, NO_DEFINER, 1146, 1054, 1305];

async function columnsOf(tools: Toolbox, database: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await Session.with(tools, (session) =>
    session.query(
      { view: 'c.TABLE_NAME', column: 'c.COLUMN_NAME' },
      `FROM information_schema.COLUMNS AS c JOIN information_schema.VIEWS AS v
         ON v.TABLE_SCHEMA = c.TABLE_SCHEMA AND v.TABLE_NAME = c.TABLE_NAME
       WHERE c.TABLE_SCHEMA = ${literal(database)} ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION`,
    ),
  );
  const columns = new Map<string, string[]>();
  for (const { view, column } of rows) columns.set(view ?? '', [...(columns.get(view ?? '') ?? []), column ?? '']);
  return columns;
}

/** Text in quotes, or names with what follows them. */
const QUOTED =
  /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`((?:[^`]|``)*)`\.(?=`(?:[^`]|``)*`[.(])|`(?:[^`]|``)*`(?:\.`(?:[^`]|``)*`)*/gs;

/** Where a server names a view's own database, before functions and sometimes columns, it would be the old one's name. */
export function withoutDatabase(create: string, database: string): string {
  const own = database.replaceAll('`', '``');
  return create.replace(QUOTED, (found: string, qualifier: string | undefined) => (qualifier === own ? '' : found));
}

/**
 * Statements that make the views, whichever rests on which: first all of them with their columns only, then as they are,
 * those first that others rest on: what only has columns takes no CHECK OPTION.
 * What is broken comes last, as comments: whatever it lacks would be missing again.
 */
export function viewStatements(views: readonly ViewDefinition[]): string {
  const of = (state: ViewDefinition['state']): readonly ViewDefinition[] =>
    views.filter((view) => view.state === state);
  const sound = of('sound');
  const lines = [
    ...sound.map(
      ({ name, columns }) => `CREATE OR REPLACE VIEW ${identifier(name)} AS SELECT ${placeholders(columns)};`,
    ),
    ...inOrder([...sound, ...of('orphaned')]).flatMap(definition),
    ...of('broken').map((view) => `-- It was broken when it was dumped:\n${commented(definition(view).join('\n'))}`),
  ];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** Each after those that it names. */
function inOrder(views: readonly ViewDefinition[]): readonly ViewDefinition[] {
  const byName = new Map(views.map((view) => [identifier(view.name), view]));
  const ordered: ViewDefinition[] = [];
  const visited = new Set<ViewDefinition>();
  const visit = (view: ViewDefinition): void => {
    if (visited.has(view)) return;
    visited.add(view);
    for (const [name] of view.create.matchAll(NAME)) {
      const other = byName.get(name);
      if (other !== undefined) visit(other);
    }
    ordered.push(view);
  };
  for (const view of views) visit(view);
  return ordered;
}

/** As the server quotes names. */
const NAME = /`(?:[^`]|``)*`/g;

function placeholders(columns: readonly string[]): string {
  return columns.map((column) => `1 AS ${identifier(column)}`).join(', ');
}

function definition({ create, charset, collation }: ViewDefinition): readonly string[] {
  return [
    `SET NAMES ${clientCharset(charset)};`,
    ...(collation === '' ? [] : [`SET collation_connection = ${literal(collation)};`]),
    `${create.replace(/^CREATE /, 'CREATE OR REPLACE ')};`,
  ];
}

function commented(text: string): string {
  return text
    .split('\n')
    .map((line) => `-- ${line}`)
    .join('\n');
}
