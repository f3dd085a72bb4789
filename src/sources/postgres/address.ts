import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { RespaldoError } from '../../errors.ts';

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** Where a server is and how to reach it: libpq's connection URI, read. */
export interface PostgresAddress {
  /** A host name, an IP address, or the absolute folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** From the address itself: works, but is visible to whoever sees the address. */
  readonly password?: string;
  readonly passFile?: string;
  readonly sslMode: SslMode;
  readonly sslRootCert?: string;
  readonly sslCert?: string;
  readonly sslKey?: string;
  readonly connectTimeoutSeconds: number;
}

const PARAMETERS = [
  'method',
  'host',
  'port',
  'user',
  'password',
  'passfile',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'connect_timeout',
] as const;
type Parameter = (typeof PARAMETERS)[number];

const SCHEME = /^postgres(?:ql)?:\/\//;
const SHAPE = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d*))?(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const DEFAULT_SOCKETS = ['/var/run/postgresql', '/tmp'];

export function isPostgresAddress(address: string): boolean {
  return SCHEME.test(address);
}

/**
 * Reads `postgresql://user@host:port/?method=physical&…`. What the address leaves out comes from libpq's environment
 * variables (`PGHOST`, `PGPORT`, `PGUSER`, `PGSSLMODE`, `PGSSLROOTCERT`, `PGPASSFILE`) and its defaults.
 * @throws RespaldoError `usage`.
 */
export function parseAddress(address: string, env: NodeJS.ProcessEnv = process.env): PostgresAddress {
  const match = SHAPE.exec(address);
  if (match === null) throw usage('the address is not of the form postgresql://user@host:port/?method=physical');
  const [, login = '', bareHost = '', barePort = '', database = '', query = ''] = match;
  const given = parseParameters(query);
  requirePhysical(given.get('method'), decode(database));
  const [user = '', password] = login.split(/:(.*)/s, 2).map(decode);
  const host = (given.get('host') ?? decode(bareHost).replace(/^\[(.*)\]$/, '$1')) || env.PGHOST || defaultHost();
  const secret = given.get('password') ?? password;
  return {
    host,
    port: parsePort(given.get('port') ?? (barePort || env.PGPORT || '5432')),
    user: given.get('user') ?? (user || env.PGUSER || userInfo().username),
    ...(secret !== undefined && secret !== '' && { password: secret }),
    ...optional('passFile', given.get('passfile') ?? env.PGPASSFILE),
    sslMode: parseSslMode(given.get('sslmode') ?? env.PGSSLMODE ?? 'prefer'),
    ...optional('sslRootCert', given.get('sslrootcert') ?? env.PGSSLROOTCERT),
    ...optional('sslCert', given.get('sslcert') ?? env.PGSSLCERT),
    ...optional('sslKey', given.get('sslkey') ?? env.PGSSLKEY),
    connectTimeoutSeconds: Number(given.get('connect_timeout') ?? env.PGCONNECT_TIMEOUT ?? 30) || 30,
  };
}

/** How messages name the server: never with user or password. */
export function serverName({ host, port }: PostgresAddress): string {
  return `PostgreSQL at ${isSocket(host) ? `${host}, port ${String(port)}` : `${host}:${String(port)}`}`;
}

/** The path that stands for the server in a snapshot's record. */
export function snapshotPath({ host, port }: PostgresAddress): string {
  return `/postgresql/${host.replace(/^\/+/, '')}:${String(port)}`;
}

export function isSocket(host: string): boolean {
  return host.startsWith('/');
}

function requirePhysical(method: string | undefined, database: string): void {
  if (method === undefined)
    throw usage('the address does not say how to back up', 'Add ?method=physical to it: it backs up the whole server.');
  if (method !== 'physical')
    throw usage(
      `method=${method} is not in this version`,
      'Only method=physical is: it backs up the whole server, every database of it.',
    );
  if (database !== '')
    throw usage(
      `the address names the database "${database}", but a physical backup always holds the whole server`,
      'Leave the name out: postgresql://user@host:5432/?method=physical',
    );
}

function parseParameters(query: string): Map<Parameter, string> {
  const values = new Map<Parameter, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const [name = '', value = ''] = pair.split(/=(.*)/s, 2).map(decode);
    const known = PARAMETERS.find((parameter) => parameter === name);
    if (known === undefined)
      throw usage(`the parameter "${name}" is not known`, `Known are: ${PARAMETERS.join(', ')}.`);
    values.set(known, value);
  }
  return values;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw usage(`"${text}" is not a port`);
  return port;
}

function parseSslMode(text: string): SslMode {
  const mode = SSL_MODES.find((known) => known === text);
  if (mode === undefined) throw usage(`sslmode "${text}" is not known`, `It is one of ${SSL_MODES.join(', ')}.`);
  return mode;
}

function defaultHost(): string {
  return DEFAULT_SOCKETS.find((folder) => existsSync(`${folder}/.s.PGSQL.5432`)) ?? 'localhost';
}

function optional<Name extends string>(name: Name, value: string | undefined): Partial<Record<Name, string>> {
  return value === undefined || value === '' ? {} : ({ [name]: value } as Record<Name, string>);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw usage('it holds a malformed percent-encoding');
  }
}

function usage(what: string, hint = 'Example: postgresql://postgres@localhost:5432/?method=physical'): RespaldoError {
  return new RespaldoError('usage', `PostgreSQL address: ${what}`, { hint });
}
