/** The kinds of runtimes. A new one is a folder and a case here. */
import type { Clock } from '../clock.ts';
import type { RuntimeTarget } from '../domain/runtime-target.ts';
import type { Runtime } from './runtime.ts';

/**
 * Nothing is connected yet.
 * @param env where addresses and credentials of engines and clusters are looked for.
 */
export async function openRuntime(
  target: RuntimeTarget,
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Promise<Runtime> {
  switch (target.kind) {
    case 'host':
      return new (await import('./host.ts')).HostRuntime();
    case 'docker':
      return new (await import('./docker/docker.ts')).DockerRuntime(target, env);
    case 'kubernetes':
      return new (await import('./kubernetes/kubernetes.ts')).KubernetesRuntime(target, env, clock);
  }
}
