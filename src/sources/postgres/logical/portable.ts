import { shellWord } from '../../../domain/shell-word.ts';
import type { PortableFile, SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { conninfo } from './conninfo.ts';
import { passwordsMissing } from './capture.ts';
import { dumpDatabase, dumpGlobals } from './dumps.ts';
import type { DumpContent } from './dump-text.ts';
import type { DatabaseInventory, ServerInventory } from './inventory.ts';
import { lookAt } from './outlook.ts';
import type { Toolbox } from './toolbox.ts';

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
  yield await globals(tools, server, maintenance);
  for (const database of databases) yield await dumpOf(tools, server, database);
}

async function globals(tools: Toolbox, server: ServerInventory, maintenance: string): Promise<PortableFile> {
  const tool = await tools.version('pg_dumpall');
  return {
    name: 'globals',
    extension: 'sql',
    content: dumpGlobals(tools, false, maintenance, server.passwords, nothingYet()),
    about: () => ({
      versions: { pg_dumpall: tool, PostgreSQL: server.version },
      facts: { holds: 'roles and tablespaces', 'role-passwords': server.passwords ? 'yes' : 'no' },
      // Roles that are there already are told, and the others made.
      restoreCommand: 'psql --no-psqlrc --dbname postgres',
    }),
  };
}

async function dumpOf(tools: Toolbox, server: ServerInventory, database: DatabaseInventory): Promise<PortableFile> {
  const { name, encoding, collate, ctype } = database;
  const tool = await tools.version('pg_dump');
  return {
    name,
    extension: 'sql',
    content: dumpDatabase(tools, name, nothingYet()),
    about: () => ({
      versions: { pg_dump: tool, PostgreSQL: server.version },
      facts: { encoding, collate, ctype },
      restoreCommand: `${PSQL} ${shellWord(/=|:\/\//.test(name) ? conninfo(name) : name)}`,
    }),
  };
}

function nothingYet(): DumpContent {
  return { rows: new Map(), sequences: [], bytes: 0 };
}
