import { randomBytes } from 'node:crypto';
import { isError, throwIfAborted } from '../../../errors.ts';
import { LOOPBACK } from '../../server/loopback.ts';
import type { Session } from '../session.ts';
import { literal } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';
import type { Endpoint } from '../wire/channel.ts';
import { WireConnection, type Connector } from '../wire/connection.ts';
import { encryptionFor } from '../wire/encryption.ts';

/**
 * A way to the server without its client programs: where these run on this host, and the server lets us in by a way that
 * we know. Undefined: there is none, and its programs have to do.
 */
export async function directLogin(tools: Toolbox, session: Session): Promise<Connector | undefined> {
  if (tools.direct !== undefined) return tools.direct;
  if (tools.runtime.kind !== 'host') return undefined;
  const { user, env } = tools.login;
  const login = { user, password: env['MYSQL_PWD'] ?? '' };
  try {
    const endpoint = await endpointOf(tools, session);
    if (endpoint === undefined) return undefined;
    const open: Connector = () =>
      WireConnection.open(endpoint, login, tools.address.connectTimeoutSeconds, tools.signal);
    if (!(await isSameServer(session, open))) return undefined;
    tools.reachDirectly(open);
    return open;
  } catch (error) {
    throwIfAborted(tools.signal);
    if (isError(error, 'cancelled')) throw error;
    return undefined;
  }
}

async function endpointOf({ address }: Toolbox, session: Session): Promise<Endpoint | undefined> {
  const { socket, host, port, isDefaultPort, sslMode } = address;
  const isRequired = sslMode === 'require' || sslMode === 'verify';
  const isSocket = socket !== undefined || (host === 'localhost' && isDefaultPort);
  // Some programs encrypt what goes through a socket, others take that for an error.
  if (isSocket && isRequired) return undefined;
  if (socket !== undefined) return { path: socket };
  if (isSocket) {
    const [row] = await session.query({ socket: '@@socket' });
    return row?.socket?.startsWith('/') === true ? { path: row.socket } : undefined;
  }
  const isHere = LOOPBACK.has(host) && !isRequired;
  const encryption = isHere ? undefined : await encryptionFor(address);
  return { host, port, ...(encryption && { encryption }) };
}

/** The same path or port may lead to somebody else from here: only one server knows of a lock that it has just given. */
async function isSameServer(session: Session, open: Connector): Promise<boolean> {
  const name = literal(`respaldo-${randomBytes(8).toString('hex')}`);
  await session.execute(`DO GET_LOCK(${name}, 0)`);
  const connection = await open();
  try {
    const [[holder] = []] = await connection.query(`SELECT IS_USED_LOCK(${name})`);
    return holder !== null && holder !== undefined;
  } finally {
    connection.close();
  }
}
