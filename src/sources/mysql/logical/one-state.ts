/** Connections that see one state of a server: what others commit later, none of them sees. */
import { randomBytes } from 'node:crypto';
import { RespaldoError, throwIfAborted } from '../../../errors.ts';
import { isAtLeast } from '../product.ts';
import { literal } from '../sql.ts';
import { explainTool } from '../tool-refusal.ts';
import type { Toolbox } from '../toolbox.ts';
import type { Connector, WireConnection } from '../wire/connection.ts';
import type { Position } from './dump-text.ts';
import type { ServerInventory } from './inventory.ts';
import { mayLockAll, privilegesOf, seesBinaryLog } from './privileges.ts';

export interface OneState {
  /** At least one; as many as were wanted, if the account may stop writing for a moment. */
  readonly connections: readonly WireConnection[];
  /** Of that state, in the server's binary log; empty: it has none, or nobody may know. */
  readonly position: Position;
  /** Somebody used a table for so long that nobody was made to wait behind him, or the server did not want it. */
  readonly isLockRefused: boolean;
}

/** How long everybody else's writing may have to wait for whoever uses a table. */
const LOCK_SECONDS = 5;
/** Anything else that a server says to a lock, such as a service that takes it from nobody, is a no. */
const LOST = 'ERROR 2013 ';
/** Longer than a store takes to store whatever is read between two reads. */
const PATIENCE = 86_400;

/**
 * Several sessions see the same only if nothing is committed between their beginnings. So commits are held up by a lock until
 * all have begun: some milliseconds. Where that is not possible one session reads alone.
 */
export async function openOneState(
  open: Connector,
  tools: Toolbox,
  server: ServerInventory,
  wanted: number,
): Promise<OneState> {
  const privileges = privilegesOf(server.grants);
  const knowsPosition = server.binaryLog && seesBinaryLog(privileges);
  // MariaDB tells a transaction its position; MySQL tells the present one.
  const wantsLock = wanted > 1 || (knowsPosition && server.version.product === 'mysql');
  const mayLock = wantsLock && mayLockAll(privileges);
  const connections: WireConnection[] = [];
  let guard: WireConnection | undefined;
  try {
    const first = await open();
    connections.push(first);
    const [last, ...others] = mayLock ? await companions(open, first, wanted) : [];
    guard = last;
    connections.push(...others);
    await Promise.all(connections.map((connection) => prepare(connection, server)));
    const lock = guard && (await lockBy(guard, server));
    const isLocked = lock !== undefined;
    try {
      const used = isLocked ? connections : connections.slice(0, 1);
      await Promise.all(used.map((connection) => connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT')));
      const position = knowsPosition ? await positionOf(used, server, isLocked) : {};
      for (const unused of connections.slice(used.length)) unused.close();
      return { connections: used, position, isLockRefused: mayLock && !isLocked };
    } finally {
      await lock?.release();
    }
  } catch (error) {
    for (const connection of connections) connection.destroy();
    guard?.destroy();
    throwIfAborted(tools.signal);
    throw explainTool(error, tools.server);
  }
}

/** More connections to the same server; none where an address leads to several, such as one that shares out the work. */
async function companions(open: Connector, first: WireConnection, wanted: number): Promise<readonly WireConnection[]> {
  const name = literal(`respaldo-${randomBytes(8).toString('hex')}`);
  await first.query(`DO GET_LOCK(${name}, 0)`);
  const found: WireConnection[] = [];
  try {
    while (found.length < wanted) {
      const connection = await open();
      found.push(connection);
      const [[holder] = []] = await connection.query(`SELECT IS_USED_LOCK(${name})`);
      if (holder === null || holder === undefined) break;
      if (found.length === wanted) return found;
    }
  } catch (error) {
    for (const connection of found) connection.destroy();
    throw error;
  }
  for (const connection of found) connection.close();
  return [];
}

async function prepare(connection: WireConnection, { version }: ServerInventory): Promise<void> {
  const limit = version.product === 'mariadb' ? 'max_statement_time' : 'max_execution_time';
  const waits = ['net_write_timeout', 'net_read_timeout', 'wait_timeout'];
  const settings = [...waits.map((name) => `${name} = ${String(PATIENCE)}`), `${limit} = 0`];
  await connection.query('SET NAMES utf8mb4');
  await connection.query(
    `SET SESSION sql_mode = '', SESSION sql_quote_show_create = 1, SESSION time_zone = '+00:00', ${settings.map((one) => `SESSION ${one}`).join(', ')}`,
  );
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
}

interface Lock {
  release(): Promise<void>;
}

/** @returns undefined: somebody uses a table for longer than others can be made to wait, or the server does not want it. */
async function lockBy(guard: WireConnection, server: ServerInventory): Promise<Lock | undefined> {
  const [statements, end] = lockStatements(server);
  try {
    await guard.query(`SET SESSION lock_wait_timeout = ${String(LOCK_SECONDS)}`);
    for (const statement of statements) await guard.query(statement);
  } catch (error) {
    // Whatever it holds goes with it.
    guard.destroy();
    if (error instanceof RespaldoError && !error.message.startsWith(LOST)) return undefined;
    throw error;
  }
  return {
    release: async () => {
      await guard.query(end);
      guard.close();
    },
  };
}

/** MariaDB can hold up commits alone; elsewhere all tables are locked, which waits for whoever reads them. */
function lockStatements({ version }: ServerInventory): readonly [statements: readonly string[], end: string] {
  return version.product === 'mariadb' && isAtLeast(version, 10, 4, 1)
    ? [['BACKUP STAGE START', 'BACKUP STAGE BLOCK_COMMIT'], 'BACKUP STAGE END']
    : [['FLUSH LOCAL TABLES', 'FLUSH TABLES WITH READ LOCK'], 'UNLOCK TABLES'];
}

async function positionOf(
  [connection]: readonly WireConnection[],
  { version, gtidMode }: ServerInventory,
  isLocked: boolean,
): Promise<Position> {
  if (connection === undefined) return {};
  if (version.product === 'mariadb') {
    const rows = await connection.query("SHOW STATUS LIKE 'binlog_snapshot_%'");
    const value = (name: string): string => rows.find(([key]) => key?.toLowerCase() === name)?.[1] ?? '';
    const [file, offset] = [value('binlog_snapshot_file'), value('binlog_snapshot_position')];
    if (file === '') return {};
    const [[gtid] = []] = await connection.query(`SELECT BINLOG_GTID_POS(${literal(file)}, ${offset})`);
    return { file, offset: Number(offset), ...(gtid !== null && gtid !== undefined && gtid !== '' && { gtid }) };
  }
  if (!isLocked) return {};
  const statement = isAtLeast(version, 8, 2) ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
  const [[file, offset] = []] = await connection.query(statement);
  const [[gtid] = []] = gtidMode ? await connection.query('SELECT @@GLOBAL.gtid_executed') : [];
  return {
    ...(file !== null && file !== undefined && { file, offset: Number(offset) }),
    ...(gtid !== null && gtid !== undefined && gtid !== '' && { gtid: gtid.replaceAll(/\s/g, '') }),
  };
}
