import type { Runtime } from '../../../runtimes/runtime.ts';
import { freeSpace } from '../../server/free-space.ts';
import { LOOPBACK } from '../../server/loopback.ts';
import { unfinishedOf } from '../../server/side-name.ts';
import { isSocket, type PostgresAddress } from '../address.ts';
import { abandonedOf, MARKED, type HalfMade } from './half-made.ts';
import { PsqlSession } from './psql-session.ts';
import type { Toolbox } from './toolbox.ts';
import { literal } from './sql.ts';

/** What is known of a server that is going to be restored to. */
export interface TargetServer {
  readonly version: string;
  /** 150008 for 15.8. */
  readonly number: number;
  readonly standby: boolean;
  readonly mayCreateDatabases: boolean;
  readonly roles: readonly string[];
  readonly extensions: readonly string[];
  readonly tablespaces: readonly string[];
  /** Of the databases that were asked for, those that exist. Sizes in bytes; sessions are others'. */
  readonly databases: ReadonlyMap<string, { readonly bytes: number; readonly sessions: number }>;
  readonly unfinished: readonly string[];
  /** Of these, what killed restores have left, and this role may drop. */
  readonly abandoned: readonly HalfMade[];
  /** On the disk where the databases will lie; undefined where it cannot be seen from here. */
  readonly freeBytes: number | undefined;
}

/** Where one may be connected while databases come and go: never one that is replaced. */
export function maintenanceFor(targets: readonly string[]): string {
  return targets.includes('postgres') ? 'template1' : 'postgres';
}

/** @param tablespace that the databases will lie in. */
export async function inspectTarget(
  tools: Toolbox,
  address: PostgresAddress,
  runtime: Runtime,
  names: readonly string[],
  tablespace: string,
): Promise<TargetServer> {
  const session = new PsqlSession(tools, maintenanceFor(names));
  try {
    const [server = {}] = await session.query(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
         pg_is_in_recovery() AS standby, rolsuper OR rolcreatedb AS create,
         CASE WHEN rolsuper THEN coalesce(
           (SELECT nullif(pg_tablespace_location(oid), '') FROM pg_tablespace WHERE spcname = ${literal(tablespace)}),
           current_setting('data_directory')) END AS folder
       FROM pg_roles WHERE rolname = current_user`,
    );
    const namesOf = async (sql: string): Promise<string[]> =>
      (await session.query(sql)).map(({ name }) => String(name));
    // Of other roles' sessions the kind may not be seen.
    const databases = await session.query(
      `SELECT datname AS name, pg_database_size(oid) AS bytes,
         (SELECT count(*) FROM pg_stat_activity AS a
          WHERE a.datid = d.oid AND coalesce(a.backend_type, 'client backend') = 'client backend'
            AND a.pid <> pg_backend_pid()) AS sessions
       FROM pg_database AS d WHERE datname IN (${names.map(literal).join(', ')})`,
    );
    const target = {
      version: String(server.version),
      number: Number(server.number),
      standby: server.standby === true,
      mayCreateDatabases: server.create === true,
      roles: await namesOf('SELECT rolname AS name FROM pg_roles'),
      extensions: await namesOf('SELECT name FROM pg_available_extensions'),
      abandoned: abandonedOf(await session.query(MARKED)),
      unfinished: unfinishedOf(await namesOf('SELECT datname AS name FROM pg_database')),
      tablespaces: await namesOf('SELECT spcname AS name FROM pg_tablespace'),
      databases: new Map(
        databases.map(({ name, bytes, sessions }) => [
          String(name),
          { bytes: Number(bytes), sessions: Number(sessions) },
        ]),
      ),
    };
    await session.close();
    const folder = typeof server.folder === 'string' ? server.folder : undefined;
    return { ...target, freeBytes: await freeBytes(tools, address, runtime, folder) };
  } finally {
    await session.abandon();
  }
}

/** By `df`, where the tools run on the server's own machine. */
async function freeBytes(
  tools: Toolbox,
  address: PostgresAddress,
  runtime: Runtime,
  folder: string | undefined,
): Promise<number | undefined> {
  const isLocal = isSocket(address.host) || LOOPBACK.has(address.host) || address.isDefaultHost;
  return folder === undefined || !isLocal ? undefined : freeSpace(folder, runtime, tools.signal);
}
