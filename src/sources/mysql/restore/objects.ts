/** What a database holds beside tables: it cannot be moved to another database, only made there. */
import { script } from '../logical/script.ts';
import { inspectContent, inspectServer, type ContentInventory } from '../logical/inventory.ts';
import { programsText } from '../logical/programs.ts';
import { readViews, viewStatements } from '../logical/views.ts';
import { Session } from '../session.ts';
import { identifier } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';
import { loadSql } from './loading.ts';

/** As SQL, without a database before the names; empty where there are none. */
export interface Objects {
  readonly routines: string;
  readonly views: string;
  readonly triggers: string;
  readonly events: string;
}

/** Those of a database that is there. */
export async function readObjects(tools: Toolbox, database: string): Promise<Objects> {
  const { server, content } = await Session.with(tools, async (session) => ({
    server: await inspectServer(session),
    content: await inspectContent(session, database),
  }));
  const read = (kind: 'routines' | 'triggers' | 'events'): Promise<string> =>
    programsText(tools, server, kind, database, content);
  return {
    routines: await read('routines'),
    views: viewStatements(await readViews(tools, database, content.views)),
    triggers: await read('triggers'),
    events: await read('events'),
  };
}

/** In the order in which they rest upon each other. */
export async function makeObjects(tools: Toolbox, database: string, texts: readonly string[]): Promise<void> {
  for (const text of texts) if (text !== '') await loadSql(tools, database, script([Buffer.from(text)]));
}

/** Drops all of them; tables stay. */
export async function dropObjects(session: Session, database: string): Promise<void> {
  for (const sql of dropStatements(database, await inspectContent(session, database))) await session.execute(sql);
}

/** Drops triggers: tables that have some cannot be moved. */
export async function dropTriggers(session: Session, database: string): Promise<void> {
  const { triggers } = await inspectContent(session, database);
  for (const sql of triggerDrops(database, triggers)) await session.execute(sql);
}

/** Packages are known to MariaDB only while it takes Oracle’s SQL. */
function dropStatements(database: string, { views, routines, triggers, events }: ContentInventory): readonly string[] {
  const named = (name: string): string => `${identifier(database)}.${identifier(name)}`;
  return [
    ...events.map(({ name }) => `DROP EVENT IF EXISTS ${named(name)}`),
    ...triggerDrops(database, triggers),
    ...views.map(({ name }) => `DROP VIEW IF EXISTS ${named(name)}`),
    ...routines.flatMap(({ name, kind }) => {
      const drop = `DROP ${kind.toUpperCase()} IF EXISTS ${named(name)}`;
      return kind === 'package' ? ["SET sql_mode = 'ORACLE'", drop, 'SET sql_mode = DEFAULT'] : [drop];
    }),
  ];
}

function triggerDrops(database: string, triggers: ContentInventory['triggers']): readonly string[] {
  return triggers.map(({ name }) => `DROP TRIGGER IF EXISTS ${identifier(database)}.${identifier(name)}`);
}
