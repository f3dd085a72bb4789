import type { Command, Runtime } from '../../runtimes/runtime.ts';
import { isError } from '../../errors.ts';
import type { MysqlAddress } from './address.ts';
import { loginVariables, SUPERUSER } from './login-variables.ts';
import { readOptionFile } from './option-file.ts';

/** Who logs in. The password goes into the environment of the programs: it is never an argument. */
export interface Login {
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
}

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);

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
  const variables = await environmentOf(runtime, signal);
  const names = loginVariables((name) => variables.has(name));
  const valueOf = (wanted: readonly string[]): Promise<string | undefined> =>
    firstValue(wanted, variables, (file) => output(['cat', '--', file], runtime, signal));
  const ownUser = (await valueOf(names.users)) ?? SUPERUSER;
  const user = address.isDefaultUser ? ownUser : address.user;
  const isOwn = (LOOPBACK.has(address.host) || address.socket !== undefined) && user === ownUser;
  return loginOf(user, known ?? (isOwn ? await valueOf(names.passwords) : undefined));
}

function loginOf(user: string, password: string | undefined): Login {
  return { user, env: { LC_ALL: 'C', ...(password !== undefined && password !== '' && { MYSQL_PWD: password }) } };
}

async function firstValue(
  names: readonly string[],
  variables: ReadonlyMap<string, string>,
  read: (file: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  for (const name of names) {
    const value = variables.get(name);
    if (value !== undefined && value !== '') return value;
    const file = variables.get(`${name}_FILE`);
    const content = file === undefined || file === '' ? undefined : (await read(file))?.replace(/\r?\n$/, '');
    if (content !== undefined && content !== '') return content;
  }
  return undefined;
}

async function environmentOf(runtime: Runtime, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const said = (await output(['env', '-0'], runtime, signal)) ?? '';
  const pairs = said.split('\0').flatMap((line): [string, string][] => {
    const at = line.indexOf('=');
    return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
  });
  return new Map(pairs);
}

/** Undefined where there is no such program, or it fails: then nothing is known, and the server says what it misses. */
async function output(argv: Command['argv'], runtime: Runtime, signal: AbortSignal): Promise<string | undefined> {
  try {
    return Buffer.concat(await Array.fromAsync(runtime.run({ argv }, signal))).toString('utf8');
  } catch (error) {
    if (isError(error, 'tool-missing') || isError(error, 'command-failed')) return undefined;
    throw error;
  }
}
