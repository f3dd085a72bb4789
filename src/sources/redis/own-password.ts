import type { Runtime } from '../../runtimes/runtime.ts';
import { ContainerVariables } from '../server/container-variables.ts';
import { LOOPBACK } from '../server/loopback.ts';
import type { RedisAddress } from './address.ts';
import { PASSWORDS, SUPERUSER } from './login-variables.ts';

/** The password that a container's own variables tell of its own server; undefined where they tell none. */
export async function ownPassword(
  { host, socket, user = SUPERUSER }: RedisAddress,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<string | undefined> {
  const isOwn = user === SUPERUSER && (socket !== undefined || LOOPBACK.has(host));
  if (!isOwn) return undefined;
  return (await ContainerVariables.read(runtime, signal)).firstOf(PASSWORDS);
}
