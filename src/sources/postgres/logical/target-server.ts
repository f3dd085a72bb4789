import type { Runtime } from '../../../runtimes/runtime.ts';
import { diskOf } from '../../server/free-space.ts';
import { LOOPBACK } from '../../server/loopback.ts';
import { unfinishedOf } from '../../server/side-name.ts';
import { isSocket, type PostgresAddress } from '../address.ts';
import type { Disk } from './disks.ts';
import { abandonedOf, MARKED, type HalfMade } from './half-made.ts';
import { PsqlSession } from './psql-session.ts';
import type { Toolbox } from './toolbox.ts';
import { literal, SESSIONS_OF_OTHERS } from './sql.ts';

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
  /** Of the databases that were asked for, those that exist. Sizes in bytes; sessions are others'; ours: may be replaced. */
  readonly databases: ReadonlyMap<
    string,
    { readonly bytes: number; readonly sessions: number; readonly tablespace: string; readonly isOurs: boolean }
  >;
  readonly unfinished: readonly string[];
  /** Of these, what killed restores have left, and this role may drop. */
  readonly abandoned: readonly HalfMade[];
  /** Where the databases will lie, and those lie that they replace; without what cannot be seen from here. */
  readonly disks: readonly Disk[];
}

/** Where one may be connected while databases come and go: never one that is replaced. */
export function maintenanceFor(targets: readonly string[]): string {
  return targets.includes('postgres') ? 'template1' : 'postgres';
}

/** @param wanted tablespaces that the databases will lie in. */
export async function inspectTarget(
  tools: Toolbox,
  address: PostgresAddress,
  runtime: Runtime,
  names: readonly string[],
  wanted: readonly string[],
): Promise<TargetServer> {
  const session = new PsqlSession(tools, maintenanceFor(names));
  try {
    const [server = {}] = await session.query(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
         pg_is_in_recovery() AS standby, rolsuper OR rolcreatedb AS create,
         CASE WHEN rolsuper THEN current_setting('data_directory') END AS folder
       FROM pg_roles WHERE rolname = current_user`,
    );
    const namesOf = async (sql: string): Promise<string[]> =>
      (await session.query(sql)).map(({ name }) => String(name));
    const databases = await session.query(
      `SELECT datname AS name, pg_database_size(oid) AS bytes,
         (SELECT spcname FROM pg_tablespace AS t WHERE t.oid = d.dattablespace) AS tablespace,
         pg_has_role(datdba, 'USAGE') AS ours,
         (SELECT count(*) ${SESSIONS_OF_OTHERS}) AS sessions
       FROM pg_database AS d WHERE datname IN (${names.map(literal).join(', ')})`,
    );
    const spaces = (
      await session.query('SELECT spcname AS name, pg_tablespace_location(oid) AS at FROM pg_tablespace')
    ).map(({ name, at }) => ({ name: String(name), at: String(at) }));
    const target = {
      version: String(server.version),
      number: Number(server.number),
      standby: server.standby === true,
      mayCreateDatabases: server.create === true,
      roles: await namesOf('SELECT rolname AS name FROM pg_roles'),
      extensions: await namesOf('SELECT name FROM pg_available_extensions'),
      abandoned: abandonedOf(await session.query(MARKED)),
      unfinished: unfinishedOf(await namesOf('SELECT datname AS name FROM pg_database')),
      tablespaces: spaces.map(({ name }) => name),
      databases: new Map(
        databases.map(({ name, bytes, sessions, tablespace, ours }) => [
          String(name),
          { bytes: Number(bytes), sessions: Number(sessions), tablespace: String(tablespace), isOurs: ours === true },
        ]),
      ),
    };
    await session.close();
    const used = new Set([...wanted, ...[...target.databases.values()].map(({ tablespace }) => tablespace)]);
    const folders = foldersOf(
      spaces.filter(({ name }) => used.has(name)),
      typeof server.folder === 'string' ? server.folder : undefined,
    );
    return { ...target, disks: isLocal(address) ? await disksOf(folders, runtime, tools.signal) : [] };
  } finally {
    await session.abandon();
  }
}

/** Whether the tools run on the server's own machine. */
function isLocal({ host, isDefaultHost }: PostgresAddress): boolean {
  return isSocket(host) || LOOPBACK.has(host) || isDefaultHost;
}

/** @param data the server's own folder, where the default ones are; not everybody may know it. */
function foldersOf(
  spaces: readonly { readonly name: string; readonly at: string }[],
  data: string | undefined,
): readonly { readonly name: string; readonly folder: string }[] {
  return spaces.flatMap(({ name, at }) => {
    if (at.startsWith('/')) return [{ name, folder: at }];
    return data === undefined ? [] : [{ name, folder: at === '' ? data : `${data}/${at}` }];
  });
}

async function disksOf(
  folders: readonly { readonly name: string; readonly folder: string }[],
  runtime: Runtime,
  signal: AbortSignal,
): Promise<readonly Disk[]> {
  const disks = new Map<string, Disk>();
  for (const { name, folder } of folders) {
    const disk = await diskOf(folder, runtime, signal);
    if (disk === undefined) continue;
    const { tablespaces = [] } = disks.get(disk.mount) ?? {};
    disks.set(disk.mount, { tablespaces: [...tablespaces, name], freeBytes: disk.freeBytes });
  }
  return [...disks.values()];
}
