/** The kinds of runtimes. A new one is a folder and a line here. */
import type { Clock } from '../clock.ts';
import type { RuntimeTarget } from '../domain/runtime-target.ts';
import type { Runtime } from './runtime.ts';

type Opener<K extends RuntimeTarget['kind']> = (
  target: Extract<RuntimeTarget, { kind: K }>,
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
) => Promise<Runtime>;

const KINDS: { readonly [K in RuntimeTarget['kind']]: Opener<K> } = {
  host: async () => new (await import('./host.ts')).HostRuntime(),
  docker: async (target, env) => new (await import('./docker/docker.ts')).DockerRuntime(target, env),
  kubernetes: async (target, env, clock) =>
    new (await import('./kubernetes/kubernetes.ts')).KubernetesRuntime(target, env, clock),
};

/**
 * Nothing is connected yet.
 * @param env where addresses and credentials of engines and clusters are looked for.
 */
export async function openRuntime<K extends RuntimeTarget['kind']>(
  target: Extract<RuntimeTarget, { kind: K }>,
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Promise<Runtime> {
  const open: Opener<K> = KINDS[target.kind as K];
  return open(target, env, clock);
}
