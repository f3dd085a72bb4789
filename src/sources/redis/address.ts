import { RespaldoError } from '../../errors.ts';
import { decoder, optional, parseParameters, parsePort } from '../server/address-parts.ts';

/** Where a server is and how to reach it. */
export interface RedisAddress {
  /** A host name or an IP address. */
  readonly host: string;
  readonly port: number;
  /** The absolute path of a Unix socket, in place of host and port. */
  readonly socket?: string;
  /** Of the server's access control list; absent: `default`. */
  readonly user?: string;
  /** From the address itself: works, but is visible to whoever sees the address. */
  readonly password?: string;
  readonly tls: boolean;
  /** Files in PEM: who vouches for the server; who we are. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

const SHAPE = /^(rediss?):\/\/(?:([^@/?#]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d*))?(\/[^?#]*)?(?:\?([^#]*))?$/i;
const USUAL_PORT = 6379;
const PARAMETERS = ['socket', 'cacert', 'cert', 'key'] as const;

export function isRedisAddress(address: string): boolean {
  return /^rediss?:/i.test(address);
}

/** Reads `redis://user@host:port`, `rediss://host:port?cacert=ca.pem`, `redis://?socket=/run/redis.sock`. @throws RespaldoError `usage` */
export function parseAddress(address: string): RedisAddress {
  const match = SHAPE.exec(address);
  if (match === null) throw usage('it is not of the form redis://user@host:port');
  const [, scheme = '', login = '', host = '', port = '', path = '', query = ''] = match;
  if (path !== '' && path !== '/') throw usage(`it names the database ${path.slice(1)}`, WHOLE);
  const given = new Map(parseParameters(query, PARAMETERS, usage));
  const [user = '', password] = login.split(/:(.*)/s, 2).map(decode);
  const socket = given.get('socket');
  if (socket !== undefined && (!socket.startsWith('/') || host !== ''))
    throw usage('a socket is an absolute path, and has no host', 'Write redis://?socket=/run/redis/redis.sock');
  return {
    host: decode(host).replace(/^\[(.*)\]$/, '$1') || 'localhost',
    port: port === '' ? USUAL_PORT : parsePort(port, usage),
    tls: scheme.toLowerCase() === 'rediss',
    ...(socket !== undefined && { socket }),
    ...(user !== '' && { user }),
    ...(password !== undefined && password !== '' && { password }),
    ...optional('caFile', given.get('cacert')),
    ...optional('certFile', given.get('cert')),
    ...optional('keyFile', given.get('key')),
  };
}

const WHOLE = 'A backup always holds all databases of a server: leave the number out.';

/** How messages name the server: never with user or password. */
export function serverName({ host, port, socket }: RedisAddress): string {
  return `Redis at ${socket ?? `${host}:${String(port)}`}`;
}

/**
 * The path that stands for the server in a snapshot's record.
 * @param place where the tools run, such as `docker/shop-cache`; absent: on this host
 */
export function snapshotPath({ host, port, socket }: RedisAddress, place?: string): string {
  const server = socket?.slice(1) ?? `${host}:${String(port)}`;
  return place === undefined ? `/redis/${server}` : `/redis/${place}/${server}`;
}

const decode = decoder(usage);

function usage(what: string, hint = 'Example: redis://backup@localhost:6379'): RespaldoError {
  return new RespaldoError('usage', `Redis address: ${what}`, { hint });
}
