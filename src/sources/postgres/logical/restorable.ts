import type { DumpFile, PlannedDatabase, ServerRestorePlan, ServerRestoreRequest } from '../../source.ts';
import { createStatement } from './database-sql.ts';
import type { DatabaseFacts } from './facts.ts';
import { readDumpFile } from '../../server/dump-file.ts';
import { inspectFile } from './file-dump.ts';
import { foreignSql, requireRestorable, type ForeignContent } from './foreign-sql.ts';
import { databaseScript } from './logical-snapshot.ts';
import { loadArchive, loadSql, verifyArchive } from './loading.ts';
import { dumpOf } from './restore-plan.ts';
import { identifier } from './sql.ts';
import type { Toolbox } from './toolbox.ts';

/** A database that can be made: empty, filled, and given what it has beside its content. */
export interface Restorable {
  readonly planned: PlannedDatabase;
  readonly create: (name: string, serverVersion: number) => string;
  /** Reads everything once and keeps nothing: what is damaged is told before anything is touched. */
  readonly verify: (tools: Toolbox) => Promise<void>;
  readonly load: (tools: Toolbox, name: string) => Promise<void>;
  /** Absent: nobody knows what it was. */
  readonly facts?: DatabaseFacts;
  readonly dumpVersion?: number;
}

/** What the plan means, in its order. */
export async function restorablesOf(plan: ServerRestorePlan, { dump }: ServerRestoreRequest): Promise<Restorable[]> {
  if ('file' in dump) return plan.databases.map((planned) => fromFile(dump, planned));
  const { snapshot } = dump;
  const { facts, databases } = await dumpOf(snapshot, dump.folder);
  return databases.flatMap((database) => {
    const planned = plan.databases.find(({ name }) => name === database.name);
    if (planned === undefined) return [];
    const script = (): AsyncIterable<Uint8Array> => databaseScript(snapshot, database);
    return {
      planned,
      create: (name: string, version: number) => createStatement(database, name, version),
      verify: () => drain(script()),
      load: (tools: Toolbox, name: string) => loadSql(tools, name, script()),
      facts: database,
      dumpVersion: facts.serverVersionNumber,
    };
  });
}

function fromFile(dump: DumpFile, planned: PlannedDatabase): Restorable {
  const content = (): ForeignContent => ({
    databases: new Set(),
    isWhole: false,
    isPgDump: false,
    hasStatements: false,
  });
  return {
    planned,
    create: (name) => `CREATE DATABASE ${identifier(name)} TEMPLATE template0`,
    verify: async (tools) => {
      const file = await inspectFile(dump);
      const bytes = readDumpFile(dump);
      if (file.form === 'sql') {
        const found = content();
        await drain(foreignSql(bytes, found));
        requireRestorable(found, dump.file);
      } else await verifyArchive(tools, file.form, bytes, dump.file);
    },
    load: async (tools, name) => {
      const file = await inspectFile(dump);
      const bytes = readDumpFile(dump);
      if (file.form === 'sql') await loadSql(tools, name, foreignSql(bytes, content()));
      else await loadArchive(tools, name, bytes);
    },
  };
}

async function drain(content: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _piece of content) continue;
}
