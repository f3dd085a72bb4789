import { freeSpace } from '../../server/free-space.ts';
import { LOOPBACK } from '../../server/loopback.ts';
import { unfinishedOf } from '../../server/side-name.ts';
import { inspectServer, type ServerInventory } from '../logical/inventory.ts';
import { accountNames } from '../logical/accounts.ts';
import { Session } from '../session.ts';
import { list, literal } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';

export interface TargetDatabase {
  readonly bytes: number;
  /** Of others. */
  readonly sessions: number;
  /** Tables of other databases whose foreign keys lead here: `blog.comments`. */
  readonly referencedBy: readonly string[];
}

/** What is known of a server that is going to be restored to. */
export interface TargetServer {
  readonly server: ServerInventory;
  readonly readOnly: boolean;
  readonly collations: readonly string[];
  /** In small letters, those that can be used. */
  readonly engines: readonly string[];
  /** `user@host`; undefined where they cannot be seen. */
  readonly accounts: readonly string[] | undefined;
  /** Of the databases that were asked for, those that exist. */
  readonly databases: ReadonlyMap<string, TargetDatabase>;
  readonly unfinished: readonly string[];
  /** On the disk where databases lie; undefined where it cannot be seen from here. */
  readonly freeBytes: number | undefined;
}

export async function inspectTarget(tools: Toolbox, names: readonly string[]): Promise<TargetServer> {
  const target = await Session.with(tools, async (session) => {
    const server = await inspectServer(session);
    tools.fit(server.version.product);
    const [row] = await session.query({ readOnly: '@@global.read_only + 0', folder: '@@datadir' });
    const collations = await session.query({ name: 'COLLATION_NAME' }, 'FROM information_schema.COLLATIONS');
    const engines = await session.query(
      { name: 'LOWER(ENGINE)' },
      "FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT')",
    );
    const all = await session.query({ name: 'SCHEMA_NAME' }, 'FROM information_schema.SCHEMATA');
    const databases = new Map<string, TargetDatabase>();
    for (const name of names) {
      const database = await inspectDatabase(session, name);
      if (database !== undefined) databases.set(name, database);
    }
    return {
      ...{ server, databases, readOnly: row?.readOnly === '1', folder: row?.folder ?? undefined },
      collations: collations.map(({ name }) => name ?? ''),
      engines: engines.map(({ name }) => name ?? ''),
      unfinished: unfinishedOf(all.map(({ name }) => name ?? '')),
    };
  });
  const { folder, ...known } = target;
  const accounts = await accountNames(tools, target.server);
  return { ...known, accounts, freeBytes: await freeBytes(tools, folder) };
}

async function inspectDatabase(session: Session, name: string): Promise<TargetDatabase | undefined> {
  const there = await session.query(
    { name: 'SCHEMA_NAME' },
    `FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN (${list([name])})`,
  );
  if (there.length === 0) return undefined;
  const [size] = await session.query(
    { bytes: 'COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0)' },
    `FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${literal(name)} AND TABLE_TYPE <> 'VIEW'`,
  );
  const [sessions] = await session.query(
    { count: 'COUNT(*)' },
    `FROM information_schema.PROCESSLIST WHERE DB = ${literal(name)} AND ID <> CONNECTION_ID()`,
  );
  const referencing = await session.query(
    { database: 'TABLE_SCHEMA', table: 'TABLE_NAME' },
    `FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA = ${literal(name)} AND TABLE_SCHEMA <> ${literal(name)} GROUP BY TABLE_SCHEMA, TABLE_NAME`,
  );
  return {
    bytes: Number(size?.bytes),
    sessions: Number(sessions?.count),
    referencedBy: referencing.map(({ database, table }) => `${database ?? ''}.${table ?? ''}`),
  };
}

/** By `df`, where the tools run on the server's own machine. */
async function freeBytes(tools: Toolbox, folder: string | undefined): Promise<number | undefined> {
  const { socket, host } = tools.address;
  const isLocal = socket !== undefined || LOOPBACK.has(host);
  return folder === undefined || !isLocal ? undefined : freeSpace(folder, tools.runtime, tools.signal);
}
