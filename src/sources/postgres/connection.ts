import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import type Driver from 'pg';
import type { Client, ClientConfig } from 'pg';
import { errnoOf, RespaldoError } from '../../errors.ts';
import { isSocket, serverName, type PostgresAddress } from './address.ts';
import { refusal } from './refusal.ts';

const KEEP_ALIVE_MS = 60_000;
/** The Terminate message: a polite end, so that the server does not log a lost connection. */
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4]);

/** Ordinary SQL in a database. */
export interface SqlPurpose {
  readonly database: string;
  /** Settings of the session: `-c name=value`. */
  readonly options?: string;
  /** What to connect by, where the connection is not encrypted. */
  readonly socket?: () => Duplex;
  /** How messages name what it leads to; else the server. */
  readonly name?: string;
  /** What to do about what the server says, where that is not what it is for a physical backup. */
  readonly advise?: Advise;
}

/** The replication protocol needs no database. */
type Purpose = 'replication' | SqlPurpose;
type Advise = (message: string) => string | undefined;
type Row = Readonly<Record<string, unknown>>;

/** Where ordinary SQL is asked what concerns the whole server. */
export const MAINTENANCE = { database: 'postgres' } as const;

/** What a connection knows of its server. */
interface Known {
  readonly server: string;
  readonly version: number;
  readonly advise: Advise | undefined;
}

/** One authenticated connection. An abort of the signal it was opened with destroys it. */
export class PostgresConnection {
  readonly server: string;
  /** `server_version_num` style: 150008. */
  readonly version: number;
  readonly #client: Client;
  readonly #advise: Advise | undefined;
  readonly #stopListening: () => void;

  constructor(client: Client, { server, version, advise }: Known, stopListening: () => void) {
    this.#client = client;
    this.server = server;
    this.version = version;
    this.#advise = advise;
    this.#stopListening = stopListening;
  }

  /** @throws RespaldoError what the server raised. */
  async query(text: string, values?: readonly unknown[]): Promise<readonly Row[]> {
    try {
      const result = await this.#client.query<Record<string, unknown>>(
        text,
        values === undefined ? undefined : [...values],
      );
      return result.rows;
    } catch (error) {
      throw explain(error, this.server, this.#advise);
    }
  }

  /** One setting, by SHOW. */
  async show(setting: string): Promise<string> {
    const [row] = await this.query(`SHOW ${setting}`);
    const value = row?.[setting];
    return typeof value === 'string' ? value : '';
  }

  /** The socket, with nobody else reading it any more: `query` must not be used afterwards. */
  takeOver(): Duplex {
    const socket = this.#client.connection.stream;
    socket.removeAllListeners('data');
    socket.pause();
    return socket;
  }

  /** Says goodbye if the socket still works; never throws. */
  async close(): Promise<void> {
    this.#stopListening();
    const socket = this.#client.connection.stream;
    if (socket.destroyed) return;
    const closed = once(socket, 'close').catch(() => undefined);
    socket.end(TERMINATE, () => socket.destroy());
    await closed;
  }
}

/** @throws RespaldoError `source-missing`, `source-lost`, `source-refused`, `cancelled`. */
export async function connect(
  address: PostgresAddress,
  password: string | undefined,
  purpose: Purpose,
  signal: AbortSignal,
): Promise<PostgresConnection> {
  let failure: unknown;
  for (const encrypted of encryptionAttempts(address)) {
    try {
      return await attempt(address, password, purpose, encrypted, signal);
    } catch (error) {
      failure = error;
      if (!isWorthTheOtherWay(error)) break;
    }
  }
  throw failure;
}

async function attempt(
  address: PostgresAddress,
  password: string | undefined,
  purpose: Purpose,
  encrypted: boolean,
  signal: AbortSignal,
): Promise<PostgresConnection> {
  signal.throwIfAborted();
  const { default: pg } = await loadDriver();
  const { name, advise }: Partial<SqlPurpose> = purpose === 'replication' ? {} : purpose;
  const server = name ?? serverName(address);
  const config: ClientConfig & { replication?: string } = {
    host: address.host,
    port: address.port,
    user: address.user,
    password: () => password ?? missingPassword(address),
    database: purpose === 'replication' ? purpose : purpose.database,
    ssl: encrypted ? await tlsOptions(address) : false,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    application_name: 'respaldo',
    connectionTimeoutMillis: address.connectTimeoutSeconds * 1000,
    ...(purpose === 'replication' ? { replication: 'true' } : purpose.options && { options: purpose.options }),
    ...(purpose !== 'replication' && purpose.socket && !encrypted && { stream: purpose.socket }),
  };
  const client = new pg.Client(config);
  // Whatever happens to the connection is also told to who is using it; without a listener it would end the process.
  client.on('error', () => undefined);
  let version = 0;
  client.connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
    if (status.parameterName === 'server_version') version = versionNumber(status.parameterValue);
  });
  const destroy = (): void => void client.connection.stream.destroy();
  signal.addEventListener('abort', destroy, { once: true });
  const stopListening = (): void => {
    signal.removeEventListener('abort', destroy);
  };
  try {
    await client.connect();
    return new PostgresConnection(client, { server, version, advise }, stopListening);
  } catch (error) {
    stopListening();
    destroy();
    signal.throwIfAborted();
    throw explain(error, server, advise);
  }
}

/** Takes a while, the first time: ahead of {@link connect} for whoever has nothing else to do. */
export function loadDriver(): Promise<{ readonly default: typeof Driver }> {
  return import('pg');
}

/** `15.8 (Debian 15.8-1)` → 150008, `18beta2` → 180000. */
function versionNumber(text: string): number {
  const [, major = '0', minor = '0'] = /^(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  return Number(major) * 10_000 + Number(minor);
}

/** In which order to try TLS (true) and plain text (false): libpq's sslmode. */
function encryptionAttempts({ sslMode, host }: PostgresAddress): readonly boolean[] {
  if (isSocket(host) || sslMode === 'disable') return [false];
  if (sslMode === 'allow') return [false, true];
  return sslMode === 'prefer' ? [true, false] : [true];
}

const NO_TLS = 'no-tls';

function isWorthTheOtherWay(error: unknown): boolean {
  return error instanceof RespaldoError && (error.context.sqlstate === '28000' || error.context.reason === NO_TLS);
}

async function tlsOptions(address: PostgresAddress): Promise<ConnectionOptions> {
  const { sslMode, sslRootCert, sslCert, sslKey } = address;
  const verified = sslMode === 'verify-ca' || sslMode === 'verify-full' || (sslMode === 'require' && sslRootCert);
  return {
    rejectUnauthorized: Boolean(verified),
    ...(sslRootCert !== undefined && sslRootCert !== 'system' && { ca: await readPem(sslRootCert) }),
    ...(sslCert !== undefined && { cert: await readPem(sslCert) }),
    ...(sslKey !== undefined && { key: await readPem(sslKey) }),
    ...(sslMode !== 'verify-full' && { checkServerIdentity: () => undefined }),
  };
}

async function readPem(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new RespaldoError('config', `cannot read the certificate or key ${path}: ${String(errnoOf(error))}`, {
      cause: error,
    });
  }
}

function missingPassword(address: PostgresAddress): never {
  throw new RespaldoError(
    'source-refused',
    `${serverName(address)} asks for a password for "${address.user}", and none was given`,
    { hint: 'Set PGPASSWORD, add a line to ~/.pgpass (mode 0600), or give the plan a password.' },
  );
}

/** A failure of the driver, the socket or the server, as ours. */
function explain(error: unknown, server: string, advise?: Advise): RespaldoError {
  if (error instanceof RespaldoError) return error;
  const code = errnoOf(error) ?? '';
  const message = error instanceof Error && error.message !== '' ? error.message : code;
  if (error instanceof Error && 'severity' in error)
    return refusal(
      { code, message, ...('hint' in error && typeof error.hint === 'string' && { hint: error.hint }) },
      server,
      advise?.(message),
    );
  if (code === 'ENOENT' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new RespaldoError('source-missing', `there is no ${server} (${code})`, {
      hint: 'Check host, port or socket folder in the address, and that the server is running.',
      cause: error,
    });
  if (message.includes('does not support SSL'))
    return new RespaldoError('source-refused', `${server} does not support TLS`, {
      hint: 'Switch it on at the server (ssl = on), or lower sslmode in the address.',
      context: { reason: NO_TLS },
      cause: error,
    });
  if (/CERT|TLS|SSL|SIGNATURE/.test(code))
    return new RespaldoError('source-refused', `${server}: the TLS certificate was not accepted: ${message}`, {
      hint: 'Give the authority that signed it as sslrootcert=<file> in the address.',
      cause: error,
    });
  return new RespaldoError('source-lost', `cannot reach ${server}: ${message}`, {
    hint: 'Is it running, and does it listen on this address (listen_addresses)? A firewall may also be in between.',
    cause: error,
  });
}
