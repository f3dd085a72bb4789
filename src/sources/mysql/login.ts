import type { Runtime } from '../../runtimes/runtime.ts';
import { ContainerVariables } from '../server/container-variables.ts';
import { LOOPBACK } from '../server/loopback.ts';
import type { MysqlAddress } from './address.ts';
import { loginVariables, SUPERUSER } from './login-variables.ts';
import { readOptionFile } from './option-file.ts';

/** Who logs in. The password goes into the environment of the programs: it is never an argument. */
export interface Login {
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * @param given the password, where somebody gave one.
 */
export async function loginTo(
  address: MysqlAddress,
  given: string | undefined,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<Login> {
  const known = given ?? address.password ?? process.env['MYSQL_PWD'];
  return runtime.kind === 'host' ? loginFromHere(address, known) : loginInside(address, known, runtime, signal);
}

async function loginFromHere(address: MysqlAddress, known: string | undefined): Promise<Login> {
  const own = known !== undefined && !address.isDefaultUser ? {} : await readOptionFile();
  const user = address.isDefaultUser ? (own.user ?? address.user) : address.user;
  const isOwn = own.user === undefined || own.user === user;
  return loginOf(user, known ?? (isOwn ? own.password : undefined));
}

/** What address and plan leave out, the container's own variables say. */
async function loginInside(
  address: MysqlAddress,
  known: string | undefined,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<Login> {
  const variables = await ContainerVariables.read(runtime, signal);
  const names = loginVariables((name) => variables.has(name));
  const ownUser = (await variables.firstOf(names.users)) ?? SUPERUSER;
  const user = address.isDefaultUser ? ownUser : address.user;
  const isOwn = (LOOPBACK.has(address.host) || address.socket !== undefined) && user === ownUser;
  return loginOf(user, known ?? (isOwn ? await variables.firstOf(names.passwords) : undefined));
}

function loginOf(user: string, password: string | undefined): Login {
  return { user, env: { LC_ALL: 'C', ...(password !== undefined && password !== '' && { MYSQL_PWD: password }) } };
}
