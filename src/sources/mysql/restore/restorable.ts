import type { ArchivedCopy, DumpFile, PlannedDatabase, ServerRestorePlan, ServerRestoreRequest } from '../../source.ts';
import type { DatabaseFacts } from '../logical/facts.ts';
import { Session } from '../session.ts';
import type { Toolbox } from '../toolbox.ts';
import { readDumpFile } from '../../server/dump-file.ts';
import { foreignSql, requireRestorable, type ForeignContent } from './foreign-sql.ts';
import { loadSql } from './loading.ts';
import { dropObjects, readObjects, type Objects } from './objects.ts';
import { LongestLine } from './packet-room.ts';
import { dumpOf } from './snapshot-dump.ts';

/** A database that can be made: its tables, and what it has beside them. */
export interface Restorable {
  readonly planned: PlannedDatabase;
  /** Absent: the server's own defaults. */
  readonly charset?: { readonly charset: string; readonly collation: string };
  /**
   * Reads everything once and keeps nothing: what is damaged is told before anything is touched.
   * @returns the bytes of the longest line, or somewhat more
   */
  readonly verify: () => Promise<number>;
  /** Fills an empty database with tables. @returns what it has beside them, not made yet */
  readonly load: (tools: Toolbox, database: string) => Promise<Objects>;
  /** Absent: nobody knows what it was. */
  readonly facts?: DatabaseFacts;
}

/** What the plan means, in its order. */
export async function restorablesOf(plan: ServerRestorePlan, { dump }: ServerRestoreRequest): Promise<Restorable[]> {
  if ('file' in dump) return plan.databases.map((planned) => fromFile(dump, planned));
  const { snapshot } = dump;
  const { databases } = await dumpOf(snapshot, dump.folder);
  return databases.flatMap((facts) => {
    const planned = plan.databases.find(({ name }) => name === facts.name);
    if (planned === undefined) return [];
    const { charset, collation, folder, files } = facts;
    const tables = files.filter((file) => !OBJECT_FILES.includes(file));
    const script = async function* (names: readonly string[]): AsyncGenerator<Uint8Array> {
      for (const name of names) yield* snapshot.stream(`${folder}/${name}`);
    };
    const text = async (name: string): Promise<string> =>
      files.includes(name) ? Buffer.concat(await Array.fromAsync(script([name]))).toString('utf8') : '';
    return {
      planned,
      charset: { charset, collation },
      facts,
      verify: () => drain(script(files)),
      load: async (tools: Toolbox, database: string) => {
        await loadSql(tools, database, script(tables));
        const [routines = '', views = '', triggers = '', events = ''] = await Promise.all(OBJECT_FILES.map(text));
        return { routines, views, triggers, events };
      },
    };
  });
}

/** The same of files of archives. */
export function restorableCopies(plan: ServerRestorePlan, copies: readonly ArchivedCopy[]): Restorable[] {
  return copies.flatMap((copy) => {
    const planned = plan.databases.find(({ name }) => name === copy.database);
    const { charset, collation } = copy.facts;
    const own = charset !== undefined && collation !== undefined && { charset: { charset, collation } };
    return planned === undefined ? [] : [{ ...fromFile(copy, planned), ...own }];
  });
}

const OBJECT_FILES = ['routines.sql', 'views.sql', 'triggers.sql', 'events.sql'];

function fromFile(dump: DumpFile, planned: PlannedDatabase): Restorable {
  const content = (): ForeignContent => ({ databases: new Set(), isWhole: false, isDump: false, hasStatements: false });
  return {
    planned,
    verify: async () => {
      const found = content();
      const longest = await drain(foreignSql(readDumpFile(dump), found));
      requireRestorable(found, dump.file);
      return longest;
    },
    load: async (tools, database) => {
      await loadSql(tools, database, foreignSql(readDumpFile(dump), content()));
      const objects = await readObjects(tools, database);
      await Session.with(tools, (session) => dropObjects(session, database));
      return objects;
    },
  };
}

async function drain(content: AsyncIterable<Uint8Array>): Promise<number> {
  const longest = new LongestLine();
  for await (const piece of content) longest.take(piece);
  return longest.bytes;
}
