/** What a server says of its binary log, before any of it is read. */
import { RespaldoError } from '../../../errors.ts';
import type { SourceIo } from '../../source.ts';
import type { MysqlAddress } from '../address.ts';
import { inspectServer, type ServerInventory } from '../logical/inventory.ts';
import { privilegesOf } from '../logical/privileges.ts';
import { productName, type Product } from '../product.ts';
import { Session } from '../session.ts';
import { Toolbox } from '../toolbox.ts';

/** A file of the log, as the server lists it. */
export interface LogFile {
  readonly name: string;
  readonly bytes: number;
}

export interface LogSurvey {
  readonly tools: Toolbox;
  readonly server: ServerInventory;
  /** See the facts. */
  readonly id: string;
  /** Seconds since 1970, by the server's clock, before the files were listed. */
  readonly now: number;
  /** From the oldest that is left; the last one is being written. */
  readonly files: readonly LogFile[];
  /** Whether the account may begin a new file. */
  readonly mayFlush: boolean;
}

/**
 * Looks at tools, server, privileges and the list of files.
 * @param given the password, where somebody gave one.
 * @param flush whether to begin a new file before, where the account may, so that all that was written is in closed ones
 * @throws RespaldoError what cannot work at all: `tool-missing`, `source-refused`, `source-lost`.
 */
export async function surveyLog(
  address: MysqlAddress,
  given: string | undefined,
  io: Pick<SourceIo, 'runtime' | 'signal'>,
  flush: boolean,
): Promise<LogSurvey> {
  const tools = await Toolbox.open(address, given, io.runtime, io.signal);
  return Session.with(tools, async (session) => {
    const server = await inspectServer(session);
    await fitReader(tools, server.version.product);
    requireLog(server, tools.server);
    requirePrivileges(server, tools.server);
    const id = await identityOf(session, server);
    const mayFlush = holds(server, ['RELOAD']);
    if (flush && mayFlush) await session.execute(flushStatement);
    const [time] = await session.query({ now: 'UNIX_TIMESTAMP()' });
    const listed = await session.show('SHOW BINARY LOGS');
    const files = listed.map(([name = '', bytes = '0']) => ({ name, bytes: Number(bytes) }));
    return { tools, server, id, now: Number(time?.now), files, mayFlush };
  });
}

/** Each product's program reads its own logs only. @throws RespaldoError `tool-missing` */
export async function fitReader(tools: Toolbox, product: Product): Promise<void> {
  tools.fit(product);
  const { name, version } = await tools.program('binlog');
  if (version.product === product) return;
  throw new RespaldoError(
    'tool-missing',
    `${name} on ${tools.runtime.place} is of ${productName(version.product)}, and does not read logs of ${productName(product)}`,
    {
      hint: 'Install the client programs of the server’s own product there, or run those in its container: --container',
    },
  );
}

/** Not to be repeated on replicas, which have files of their own. */
const flushStatement = 'FLUSH NO_WRITE_TO_BINLOG BINARY LOGS';

function requireLog({ binaryLog, version }: ServerInventory, server: string): void {
  if (binaryLog) return;
  throw new RespaldoError('source-refused', `${server}: the server keeps no binary log`, {
    hint: `Set log_bin (and a server_id of its own) in the server’s configuration and start ${productName(version.product)} anew; then take a base backup.`,
  });
}

/** What each of the two wants for listing the files, and for reading them. */
const LISTING = ['BINLOG MONITOR', 'REPLICATION CLIENT', 'SUPER'];
const READING = ['REPLICATION SLAVE'];

function requirePrivileges(server: ServerInventory, name: string): void {
  const isMaria = server.version.product === 'mariadb';
  const missing = [
    ...(holds(server, LISTING) ? [] : [isMaria ? 'BINLOG MONITOR' : 'REPLICATION CLIENT']),
    ...(holds(server, READING) ? [] : ['REPLICATION SLAVE']),
  ];
  if (missing.length > 0)
    throw new RespaldoError('source-refused', `${name}: ${server.account} lacks ${missing.join(' and ')}`, {
      hint: `Run GRANT ${missing.join(', ')} ON *.* TO the account. With RELOAD as well it may begin a new file of the log.`,
    });
}

function holds({ grants }: ServerInventory, names: readonly string[]): boolean {
  const { everywhere } = privilegesOf(grants);
  return everywhere.has('ALL PRIVILEGES') || names.some((name) => everywhere.has(name));
}

/** MySQL has a UUID for each server, and so have newer MariaDBs; else only its number is left. */
async function identityOf(session: Session, { version }: ServerInventory): Promise<string> {
  const name = version.product === 'mysql' ? 'server_uuid' : 'server_uid';
  const [[, id] = []] = await session.show(`SHOW GLOBAL VARIABLES LIKE '${name}'`);
  if (id !== undefined && id !== '') return id;
  const [row] = await session.query({ number: '@@server_id' });
  return `server_id ${row?.number ?? ''}`;
}
