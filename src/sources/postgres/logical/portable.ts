import { repeatable } from '../../../domain/repeatable.ts';
import { shellWord } from '../../../domain/shell-word.ts';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { freeName } from '../../server/free-name.ts';
import type { PortableFile, SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { conninfo } from './conninfo.ts';
import { passwordsMissing } from './capture.ts';
import type { ReadAhead } from './channel.ts';
import { DatabaseEntries } from './database-entries.ts';
import { readGlobals } from './globals.ts';
import type { DatabaseInventory, ServerInventory } from './inventory.ts';
import { databaseScript, readLogicalFacts } from './logical-snapshot.ts';
import { lookAt, type Outlook } from './outlook.ts';
import type { Toolbox } from './toolbox.ts';

/** The name of the file that holds no database. */
const GLOBALS = 'globals';

/** All or nothing, and not the settings of whoever restores. */
const PSQL = 'psql --no-psqlrc --set ON_ERROR_STOP=1 --single-transaction --dbname';

/**
 * Roles and tablespaces as one file of SQL, and each database as another, to be loaded into a database that is there.
 * Each is of one state; PostgreSQL has none for several databases together.
 */
export async function* portableDumps(
  address: BackupAddress,
  given: string | undefined,
  io: SourceIo,
): AsyncGenerator<PortableFile> {
  const { server, tools, databases, maintenance } = await lookAt(address, given, io);
  if (!server.passwords) io.report(passwordsMissing(tools.server));
  // Whoever loads the file by hand is guarded by the words that pg_dump itself writes.
  const request = { version: server.number, isGuarded: false, jobs: address.jobs };
  const all = databases.map((database) => new DatabaseEntries(tools, { ...request, database }));
  await using begun = new AsyncDisposableStack();
  // While roles are read, the first database gets ready.
  const [first] = all;
  if (first !== undefined) begun.use(first).begin();
  const roles = globals({ tools, server, maintenance }, freeName(GLOBALS, databases));
  begun.defer(() => roles.ahead.stop());
  yield roles.file;
  for (const [i, database] of databases.entries()) {
    await using entries = all[i];
    if (entries !== undefined) yield await dumpOf(tools, server, database, entries);
  }
}

/** The same of a snapshot: the scripts of each database in the order in which they are restored. */
export async function* portableDumpsOf(snapshot: ReadableSnapshot): AsyncGenerator<PortableFile> {
  const { globals: roles, databases, tool, serverVersion } = await readLogicalFacts(snapshot);
  yield {
    ...globalsFile(
      freeName(GLOBALS, databases),
      () => tool.replace('pg_dump', 'pg_dumpall'),
      serverVersion,
      roles.passwords,
    ),
    content: repeatable(() => snapshot.stream(roles.file)),
  };
  for (const database of databases)
    yield {
      ...databaseFile(database, tool, serverVersion),
      disposable: true,
      content: repeatable(() => databaseScript(snapshot, database)),
    };
}

/** Read at once, before anybody is there who writes it. Whoever leaves before the end must call `ahead.stop`. */
function globals(
  outlook: Omit<Outlook, 'databases'>,
  name: string,
): { readonly file: PortableFile; readonly ahead: ReadAhead } {
  const { tools, server } = outlook;
  const ahead = readGlobals(outlook, false);
  const asked = tools.version('pg_dumpall');
  // Whoever reads is told.
  asked.catch(() => undefined);
  let tool = '';
  const content = async function* (): AsyncGenerator<Uint8Array> {
    yield* ahead.content;
    tool = await asked;
  };
  const file = globalsFile(name, () => tool, server.version, server.passwords);
  return { file: { ...file, disposable: true, content: content() }, ahead };
}

async function dumpOf(
  tools: Toolbox,
  server: ServerInventory,
  database: DatabaseInventory,
  entries: DatabaseEntries,
): Promise<PortableFile> {
  return {
    ...databaseFile(database, await tools.version('pg_dump'), server.version),
    fleeting: true,
    content: newScript(entries),
  };
}

/** Read as it is for a repository, and in the order of {@link databaseScript}. */
async function* newScript(database: DatabaseEntries): AsyncGenerator<Uint8Array> {
  for await (const entry of database.entries(() => undefined)) {
    if (entry.kind !== 'file' || entry.path.endsWith('/restore.sql')) continue;
    yield* entry.content;
  }
}

type WithoutContent = Omit<PortableFile, 'content'>;

/** @param tool asked when the content has ended */
function globalsFile(name: string, tool: () => string, server: string, passwords: boolean): WithoutContent {
  return {
    name,
    extension: 'sql',
    about: () => ({
      versions: { pg_dumpall: tool(), PostgreSQL: server },
      facts: { holds: 'roles and tablespaces', 'role-passwords': passwords ? 'yes' : 'no' },
      // Roles that are there already are told, and the others made.
      restoreCommand: 'psql --no-psqlrc --dbname postgres',
    }),
  };
}

function databaseFile(
  { name, encoding, collate, ctype }: Pick<DatabaseInventory, 'name' | 'encoding' | 'collate' | 'ctype'>,
  tool: string,
  server: string,
): WithoutContent {
  return {
    name,
    extension: 'sql',
    about: () => ({
      versions: { pg_dump: tool, PostgreSQL: server },
      facts: { encoding, collate, ctype },
      restoreCommand: `${PSQL} ${shellWord(/=|:\/\//.test(name) ? conninfo(name) : name)}`,
    }),
  };
}
