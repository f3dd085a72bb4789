import { userInfo } from 'node:os';
import { RespaldoError } from '../../errors.ts';
import { decoder, optional, parseParameters, parsePort, parseSslMode } from '../server/address-parts.ts';
import { fileName } from '../server/file-name.ts';
import { extraArguments } from './logical/extra-arguments.ts';

const SSL_MODES = ['disable', 'prefer', 'require', 'verify'] as const;
/** `prefer`: where the server can, without looking at who it is; `verify`: its certificate and name must be right. */
export type SslMode = (typeof SSL_MODES)[number];

const METHODS = ['logical', 'physical', 'binlogs'] as const;
type Method = (typeof METHODS)[number];

/** Where a server is and how to reach it. */
export interface MysqlAddress {
  /** A host name or an IP address; `localhost` without a port is the socket that the client programs know. */
  readonly host: string;
  /** The address names neither host nor socket. */
  readonly isDefaultHost: boolean;
  readonly port: number;
  readonly isDefaultPort: boolean;
  /** The absolute path of a Unix socket. */
  readonly socket?: string;
  readonly user: string;
  readonly isDefaultUser: boolean;
  /** From the address itself: works, but is visible to whoever sees the address. */
  readonly password?: string;
  readonly sslMode: SslMode;
  readonly sslCa?: string;
  readonly sslCert?: string;
  readonly sslKey?: string;
  readonly connectTimeoutSeconds: number;
}

/** What a backup's address says beside where the server is. */
export interface BackupAddress extends MysqlAddress {
  /** Databases as dumps, the server's files as they are, or its binary log. */
  readonly method: Method;
  /** Only these; empty: every database but the server's own. */
  readonly databases: readonly string[];
  /** Databases that are left out; `*` and `?` stand for what they do in a shell. */
  readonly exclude: readonly string[];
  /** For the dump program: see `extraArguments`. */
  readonly extraArguments: readonly string[];
  /** How many connections read tables at once; absent: as many as are of use. */
  readonly jobs: number | undefined;
  /** A dump may be much smaller than the one before. */
  readonly acceptSmaller: boolean;
}

/** Those that may be given several times have a list. */
const PARAMETERS = [
  'method',
  'exclude',
  'arg',
  'smaller',
  'jobs',
  'host',
  'port',
  'socket',
  'user',
  'password',
  'sslmode',
  'sslca',
  'sslcert',
  'sslkey',
  'connect_timeout',
] as const;
type Parameter = (typeof PARAMETERS)[number];
type Given = ReadonlyMap<Parameter, readonly string[]>;
/** What only a backup is asked. */
const BACKUP_ONLY = ['exclude', 'arg', 'smaller', 'jobs'] as const;

const SCHEME = /^(?:mysql|mariadb):\/\//;
const SHAPE = /^(?:mysql|mariadb):\/\/(?:([^@/?#]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d*))?(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const USUAL_PORT = 3306;

export function isMysqlAddress(address: string): boolean {
  return SCHEME.test(address);
}

/**
 * Reads `mysql://user@host:port/shop,blog?exclude=…`.
 * @param isHere whether the tools run on this host: then who asks is who logs in where nobody is named.
 * @throws RespaldoError `usage`.
 */
export function parseAddress(address: string, isHere: boolean): BackupAddress {
  const { server, databases, method, given } = parseParts(address, isHere);
  if (method !== 'logical') requireWhole(method, databases, given);
  const exclude = (given.get('exclude') ?? []).flatMap((list) => list.split(',')).filter((name) => name !== '');
  const smaller = given.get('smaller')?.at(-1);
  if (smaller !== undefined && smaller !== 'accept')
    throw usage(`smaller=${smaller} means nothing`, 'It can be smaller=accept.');
  return {
    ...server,
    method,
    databases,
    exclude,
    extraArguments: extraArguments(given.get('arg') ?? []),
    jobs: parseJobs(given.get('jobs')?.at(-1)),
    acceptSmaller: smaller === 'accept',
  };
}

function parseJobs(value: string | undefined): number | undefined {
  if (value === undefined || /^(?:[1-9]|1[0-6])$/.test(value)) return value === undefined ? undefined : Number(value);
  throw usage(`jobs=${value} is no number of connections`, 'It can be 1 to 16.');
}

/**
 * Reads the address of a server to restore to: the same, but for what only a backup is asked.
 * @throws RespaldoError `usage`.
 */
export function parseTarget(
  address: string,
  isHere: boolean,
): { readonly server: MysqlAddress; readonly database?: string } {
  const { server, databases, method, given } = parseParts(address, isHere);
  if (method !== 'logical')
    throw usage('files are not restored into a running server', 'Restore them into a folder: --target DIR');
  const alien = BACKUP_ONLY.find((name) => given.has(name));
  if (alien !== undefined) throw usage(`${alien}= means nothing where a dump is restored to`, 'Leave it out.');
  const [database, another] = databases;
  if (another !== undefined)
    throw usage('it names several databases to restore to', 'Restore one at a time: snapshot:/dump/<database>.');
  return { server, ...(database !== undefined && { database }) };
}

function parseParts(
  address: string,
  isHere: boolean,
): { server: MysqlAddress; databases: readonly string[]; method: Method; given: Given } {
  const match = SHAPE.exec(address);
  if (match === null) throw usage('the address is not of the form mysql://user@host:port/database');
  const [, login = '', bareHost = '', barePort = '', path = '', query = ''] = match;
  const given = parametersOf(query);
  const wanted = given.get('method')?.at(-1) ?? 'logical';
  const method = METHODS.find((name) => name === wanted);
  if (method === undefined)
    throw usage(
      `there is no method "${wanted}"`,
      'It can be method=logical: databases as dumps, method=physical: all files of a MariaDB server, or method=binlogs: its binary log.',
    );
  const databases = path
    .split(',')
    .filter((name) => name !== '')
    .map(decode);
  return { server: parseServer(login, bareHost, barePort, given, isHere), databases, method, given };
}

/** Files and log are of the server as a whole. */
function requireWhole(method: Method, databases: readonly string[], given: Given): void {
  const [database] = databases;
  if (database !== undefined)
    throw usage(
      `method=${method} is about all databases of a server, not "${database}" alone`,
      `Leave the name out: mysql://root@localhost/?method=${method}, or use method=logical.`,
    );
  const alien = BACKUP_ONLY.find((name) => given.has(name));
  if (alien !== undefined) throw usage(`${alien}= means nothing with method=${method}`, 'Leave it out.');
}

function parseServer(login: string, bareHost: string, barePort: string, given: Given, isHere: boolean): MysqlAddress {
  const last = (name: Parameter): string | undefined => given.get(name)?.at(-1);
  const [bareUser = '', barePassword = ''] = login.split(/:(.*)/s, 2).map(decode);
  const host = last('host') ?? decode(bareHost).replace(/^\[(.*)\]$/, '$1');
  const port = last('port') ?? barePort;
  const user = last('user') ?? bareUser;
  const password = last('password') ?? barePassword;
  const socket = last('socket') ?? '';
  if (socket !== '' && !socket.startsWith('/'))
    throw usage(`socket=${socket} is no absolute path`, 'Such as socket=/run/mysqld/mysqld.sock');
  return {
    host: host === '' ? 'localhost' : host,
    isDefaultHost: host === '' && socket === '',
    port: port === '' ? USUAL_PORT : parsePort(port, usage),
    isDefaultPort: port === '',
    ...(socket !== '' && { socket }),
    user: user === '' ? (isHere ? userInfo().username : 'root') : user,
    isDefaultUser: user === '',
    ...optional('password', password),
    sslMode: parseSslMode(last('sslmode') ?? 'prefer', SSL_MODES, usage),
    ...optional('sslCa', last('sslca')),
    ...optional('sslCert', last('sslcert')),
    ...optional('sslKey', last('sslkey')),
    connectTimeoutSeconds: Number(last('connect_timeout') ?? 30) || 30,
  };
}

/** How messages name the server: never with user or password. */
export function serverName(address: MysqlAddress): string {
  return `MySQL at ${whereabouts(address)}`;
}

/** The socket, or host and port. */
function whereabouts({ socket, host, port }: MysqlAddress): string {
  return socket ?? `${host}:${String(port)}`;
}

/**
 * The paths of a backup: the server's files, its databases, or those that are named.
 * @param place where the tools run, such as `docker/shop-db`: the same address means another server in each; absent:
 * on this host.
 */
export function snapshotPaths(address: BackupAddress, place?: string): readonly string[] {
  const where = whereabouts(address).replace(/^\/+/, '');
  const server = place === undefined ? `/mysql/${where}` : `/mysql/${place}/${where}`;
  if (address.method === 'physical') return [`${server}/files`];
  if (address.method === 'binlogs') return [`${server}/binlogs`];
  const databases = address.databases.map((name) => `${server}/databases/${fileName(name)}`);
  return databases.length === 0 ? [`${server}/databases`] : databases;
}

function parametersOf(query: string): Given {
  const values = new Map<Parameter, string[]>();
  for (const [name, value] of parseParameters(query, PARAMETERS, usage))
    values.set(name, [...(values.get(name) ?? []), value]);
  return values;
}

const decode = decoder(usage);

function usage(what: string, hint = 'Example: mysql://root@localhost/shop'): RespaldoError {
  return new RespaldoError('usage', `MySQL: ${what}`, { hint });
}
