import { isError } from '../../../errors.ts';
import type { Command, Runtime } from '../../../runtimes/runtime.ts';
import { loginVariables, SUPERUSER } from '../login-variables.ts';

/** How a container logs in to its own server. */
export interface OwnLogin {
  readonly user: string;
  /** Read when it is needed: from the environment, or the file that it names. */
  readonly password: () => Promise<string | undefined>;
  /** libpq finds the port in the environment by itself. */
  readonly knowsPort: boolean;
}

/** Reads the environment that the container gives to every program. */
export async function ownLogin(runtime: Runtime, signal: AbortSignal): Promise<OwnLogin> {
  const variables = await environmentOf(runtime, signal);
  const valueOf = (names: readonly string[]): Promise<string | undefined> =>
    firstValue(names, variables, (file) => output(['cat', '--', file], runtime, signal));
  const { users, passwords } = loginVariables((name) => variables.has(name));
  return {
    user: (await valueOf(users)) ?? SUPERUSER,
    password: () => valueOf(passwords),
    knowsPort: variables.has('PGPORT'),
  };
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
