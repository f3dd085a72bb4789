import type { Runtime } from '../../../runtimes/runtime.ts';
import { ContainerVariables } from '../../server/container-variables.ts';
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
  const variables = await ContainerVariables.read(runtime, signal);
  const { users, passwords } = loginVariables((name) => variables.has(name));
  return {
    user: (await variables.firstOf(users)) ?? SUPERUSER,
    password: () => variables.firstOf(passwords),
    knowsPort: variables.has('PGPORT'),
  };
}
