import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { RespaldoError } from '../../errors.ts';
import { decoder, optional, parseParameters, parsePort, parseSslMode } from '../server/address-parts.ts';
import { fileName } from '../server/file-name.ts';

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** `physical`: the whole server, by its files. `logical`: databases, by what the server says they hold. */
export type Method = 'physical' | 'logical';

/** Where a server is and how to reach it: libpq's connection URI, read. */
export interface PostgresAddress {
  /** A host name, an IP address, or the absolute folder of a Unix socket. */
  readonly host: string;
  /** Neither the address nor the environment names the host: it is where a local server usually listens. */
  readonly isDefaultHost: boolean;
  readonly port: number;
  readonly isDefaultPort: boolean;
  readonly user: string;
  /** Neither the address nor the environment names the user. */
  readonly isDefaultUser: boolean;
  /** From the address itself: works, but is visible to whoever sees the address. */
  readonly password?: string;
  readonly passFile?: string;
  readonly sslMode: SslMode;
  readonly sslRootCert?: string;
  readonly sslCert?: string;
  readonly sslKey?: string;
  readonly connectTimeoutSeconds: number;
}

/** What a backup's address says beside where the server is. */
export interface BackupAddress extends PostgresAddress {
  readonly method: Method;
  /** Logical: only these; empty: every database that can be connected to. */
  readonly databases: readonly string[];
  /** Logical: left out of every database; `*` and `?` stand for what they do in a shell. */
  readonly exclude: readonly string[];
  /** Logical: how many streams read large tables at a time. Absent: as many as this machine can use. */
  readonly jobs?: number;
  /** Logical: a dump may be much smaller than the one before. */
  readonly acceptSmaller: boolean;
}

const PARAMETERS = [
  'method',
  'exclude',
  'jobs',
  'smaller',
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
/** Those of dumps alone. */
const LOGICAL = ['exclude', 'jobs', 'smaller'] as const;

/** Where what an address leaves out comes from. */
interface Customs {
  readonly env: NodeJS.ProcessEnv;
  readonly host: () => string;
  readonly user: () => string;
}

/** libpq's, on this host. */
const OURS: Customs = { env: process.env, host: defaultHost, user: () => userInfo().username };

/** In a container: this host's variables and sockets mean nothing there, and who asks here is nobody there. */
const THEIRS: Customs = { env: {}, host: () => 'localhost', user: () => 'postgres' };

/** @param isHere whether the tools run on this host. */
export function customsOf(isHere: boolean): Customs {
  return isHere ? OURS : THEIRS;
}

const SCHEME = /^postgres(?:ql)?:\/\//;
const SHAPE = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d*))?(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const DEFAULT_SOCKETS = ['/var/run/postgresql', '/tmp'];

export function isPostgresAddress(address: string): boolean {
  return SCHEME.test(address);
}

/**
 * Reads `postgresql://user@host:port/?method=physical&…` or `postgresql://user@host:port/shop,blog?method=logical&…`.
 * What the address leaves out comes from libpq's environment variables (`PGHOST`, `PGPORT`, `PGUSER`, `PGSSLMODE`,
 * `PGSSLROOTCERT`, `PGPASSFILE`) and its defaults.
 * @throws RespaldoError `usage`.
 */
export function parseAddress(address: string, customs: Customs = OURS): BackupAddress {
  const { server, databases, given } = parseParts(address, customs);
  const method = parseMethod(given.get('method'));
  const exclude = (given.get('exclude') ?? '').split(',').filter((pattern) => pattern !== '');
  const jobs = given.get('jobs');
  if (method === 'physical') refuseLogicalParts(databases, given);
  const acceptSmaller = parseSmaller(given.get('smaller'));
  return { ...server, method, databases, exclude, acceptSmaller, ...(jobs !== undefined && { jobs: parseJobs(jobs) }) };
}

/**
 * Reads the address of a server to restore to: the same, but for what only a backup is asked.
 * @throws RespaldoError `usage`.
 */
export function parseTarget(
  address: string,
  customs: Customs = OURS,
): { readonly server: PostgresAddress; readonly database?: string } {
  const { server, databases, given } = parseParts(address, customs);
  const alien = (['method', ...LOGICAL] as const).find((name) => given.has(name));
  if (alien !== undefined && !(alien === 'method' && given.get('method') === 'logical'))
    throw usage(`${alien}= means nothing where a dump is restored to`, 'Leave it out.');
  const [database, another] = databases;
  if (another !== undefined)
    throw usage('it names several databases to restore to', 'Restore one at a time: snapshot:/dump/<database>.');
  return { server, ...(database !== undefined && { database }) };
}

function parseParts(
  address: string,
  customs: Customs,
): { server: PostgresAddress; databases: readonly string[]; given: ReadonlyMap<Parameter, string> } {
  const match = SHAPE.exec(address);
  if (match === null) throw usage('the address is not of the form postgresql://user@host:port/?method=physical');
  const [, login = '', bareHost = '', barePort = '', path = '', query = ''] = match;
  const given = new Map(parseParameters(query, PARAMETERS, usage));
  const databases = path
    .split(',')
    .filter((name) => name !== '')
    .map(decode);
  return { server: parseServer(login, bareHost, barePort, given, customs), databases, given };
}

function parseServer(
  login: string,
  bareHost: string,
  barePort: string,
  given: ReadonlyMap<Parameter, string>,
  { env, host: usualHost, user: usualUser }: Customs,
): PostgresAddress {
  const [user = '', password] = login.split(/:(.*)/s, 2).map(decode);
  const host = (given.get('host') ?? decode(bareHost).replace(/^\[(.*)\]$/, '$1')) || env.PGHOST;
  const port = given.get('port') ?? (barePort || env.PGPORT);
  const name = given.get('user') ?? (user || env.PGUSER);
  const secret = given.get('password') ?? password;
  return {
    host: host === undefined || host === '' ? usualHost() : host,
    isDefaultHost: host === undefined || host === '',
    port: parsePort(isMissing(port) ? '5432' : port, usage),
    isDefaultPort: isMissing(port),
    user: isMissing(name) ? usualUser() : name,
    isDefaultUser: isMissing(name),
    ...(secret !== undefined && secret !== '' && { password: secret }),
    ...optional('passFile', given.get('passfile') ?? env.PGPASSFILE),
    sslMode: parseSslMode(given.get('sslmode') ?? env.PGSSLMODE ?? 'prefer', SSL_MODES, usage),
    ...optional('sslRootCert', given.get('sslrootcert') ?? env.PGSSLROOTCERT),
    ...optional('sslCert', given.get('sslcert') ?? env.PGSSLCERT),
    ...optional('sslKey', given.get('sslkey') ?? env.PGSSLKEY),
    connectTimeoutSeconds: Number(given.get('connect_timeout') ?? env.PGCONNECT_TIMEOUT ?? 30) || 30,
  };
}

function isMissing(text: string | undefined): text is undefined | '' {
  return text === undefined || text === '';
}

/** How messages name the server: never with user or password. */
export function serverName({ host, port }: PostgresAddress): string {
  return `PostgreSQL at ${isSocket(host) ? `${host}, port ${String(port)}` : `${host}:${String(port)}`}`;
}

/**
 * The path that stands for the server in a snapshot's record.
 * @param place where the tools run, such as `docker/shop-db`: the same address means another server in each; absent:
 * on this host.
 */
export function snapshotPath({ host, port }: PostgresAddress, place?: string): string {
  const server = `${host.replace(/^\/+/, '')}:${String(port)}`;
  return place === undefined ? `/postgresql/${server}` : `/postgresql/${place}/${server}`;
}

/** The paths of a backup: the server, or its databases, so that dumps are never compared with files. */
export function snapshotPaths(address: BackupAddress, place?: string): readonly string[] {
  const server = snapshotPath(address, place);
  if (address.method === 'physical') return [server];
  const databases = address.databases.map((name) => `${server}/databases/${fileName(name)}`);
  return databases.length === 0 ? [`${server}/databases`] : databases;
}

export function isSocket(host: string): boolean {
  return host.startsWith('/');
}

function parseMethod(method: string | undefined): Method {
  if (method === 'physical' || method === 'logical') return method;
  throw usage(
    method === undefined ? 'the address does not say how to back up' : `there is no method "${method}"`,
    'Add ?method=physical to it for the whole server, as it is on disk, or ?method=logical for databases as dumps.',
  );
}

function refuseLogicalParts(databases: readonly string[], given: ReadonlyMap<Parameter, string>): void {
  if (databases.length > 0)
    throw usage(
      `the address names the database "${databases.join(',')}", but a physical backup always holds the whole server`,
      'Leave the name out: postgresql://user@host:5432/?method=physical, or dump it: /name?method=logical',
    );
  const alien = LOGICAL.find((name) => given.has(name));
  if (alien !== undefined)
    throw usage(`${alien}= is for method=logical: a physical backup always holds the whole server`, 'Leave it out.');
}

function parseSmaller(text: string | undefined): boolean {
  if (text !== undefined && text !== 'accept')
    throw usage(`smaller=${text} means nothing`, 'It can be smaller=accept.');
  return text === 'accept';
}

const MOST_JOBS = 32;

function parseJobs(text: string): number {
  const jobs = Number(text);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > MOST_JOBS)
    throw usage(`jobs=${text} is not a number from 1 to ${String(MOST_JOBS)}`);
  return jobs;
}

function defaultHost(): string {
  return DEFAULT_SOCKETS.find((folder) => existsSync(`${folder}/.s.PGSQL.5432`)) ?? 'localhost';
}

const decode = decoder(usage);

function usage(what: string, hint = 'Example: postgresql://postgres@localhost:5432/?method=physical'): RespaldoError {
  return new RespaldoError('usage', `PostgreSQL address: ${what}`, { hint });
}
