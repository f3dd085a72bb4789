import { readFile, stat } from 'node:fs/promises';
import { errnoOf } from '../../../errors.ts';
import type { Command, Runtime } from '../../../runtimes/runtime.ts';
import { LOOPBACK } from '../../server/loopback.ts';
import { isSocket, type PostgresAddress } from '../address.ts';
import { findPassword } from '../password.ts';
import { ownLogin } from './own-login.ts';

/**
 * Everything by which libpq logs in, in the environment: nothing of it is ever an argument. Also as whom the tools run,
 * where that is somebody else than we are.
 */
export type Login = Pick<Command, 'user' | 'cwd'> & { readonly env: Readonly<Record<string, string>> };

/** @param given the password, where somebody gave one. */
export async function loginTo(
  address: PostgresAddress,
  given: string | undefined,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<Login> {
  return runtime.kind === 'host' ? loginFromHere(address, given) : loginInside(address, given, runtime, signal);
}

async function loginFromHere(address: PostgresAddress, given: string | undefined): Promise<Login> {
  const { host, port, user, passFile, sslRootCert, sslCert, sslKey } = address;
  const password = await findPassword(address, given);
  const env = {
    ...basics(address),
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    ...(password !== undefined && { PGPASSWORD: password }),
    ...(passFile !== undefined && { PGPASSFILE: passFile }),
    ...(sslRootCert !== undefined && { PGSSLROOTCERT: sslRootCert }),
    ...(sslCert !== undefined && { PGSSLCERT: sslCert }),
    ...(sslKey !== undefined && { PGSSLKEY: sslKey }),
  };
  const owner = await socketOwner(address);
  // A folder that only we may enter would be in the tools' way.
  return owner === undefined ? { env } : { env, user: owner, cwd: '/' };
}

/**
 * What address and plan leave out, the container's own variables say: an image that made the database knows its user and
 * password. Files and variables of this machine mean nothing there, but for `PGPASSWORD`, which somebody set for us.
 */
async function loginInside(
  address: PostgresAddress,
  given: string | undefined,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<Login> {
  const own = await ownLogin(runtime, signal);
  const user = address.isDefaultUser ? own.user : address.user;
  const isOwn = address.isDefaultHost || isSocket(address.host) || LOOPBACK.has(address.host);
  const known = given ?? address.password ?? process.env.PGPASSWORD;
  const password = known ?? (isOwn && user === own.user ? await own.password() : undefined);
  return {
    env: {
      ...basics(address),
      PGUSER: user,
      ...(!address.isDefaultHost && { PGHOST: address.host }),
      ...((!address.isDefaultPort || !own.knowsPort) && { PGPORT: String(address.port) }),
      ...(password !== undefined && { PGPASSWORD: password }),
    },
  };
}

function basics({ sslMode, connectTimeoutSeconds }: PostgresAddress): Readonly<Record<string, string>> {
  return {
    LC_ALL: 'C',
    // Whatever the database says of its clients: names are read as UTF-8.
    PGCLIENTENCODING: 'UTF8',
    PGAPPNAME: 'respaldo',
    PGSSLMODE: sslMode,
    PGCONNECT_TIMEOUT: String(connectTimeoutSeconds),
  };
}

/**
 * Whom the server lets in by `peer`: who runs it. Root becomes that user where the role that is asked for has the same
 * name, as `sudo -u postgres` does.
 */
async function socketOwner({ host, port, user }: PostgresAddress): Promise<Command['user']> {
  if (process.getuid?.() !== 0 || !isSocket(host)) return undefined;
  try {
    const { uid, gid } = await stat(`${host}/.s.PGSQL.${String(port)}`);
    if (uid === 0) return undefined;
    const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
    return accounts.some(([name, , id]) => name === user && id === String(uid)) ? { uid, gid } : undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
