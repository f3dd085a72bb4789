/** The kinds of runtimes. A new one is a folder and a case here. */
import type { Clock } from '../clock.ts';
import type { DetectionScope } from '../domain/detection.ts';
import type { RuntimeTarget } from '../domain/runtime-target.ts';
import type { ContainerEngine } from './container-engine.ts';
import type { Runtime, Sandbox, SandboxRequest, WorkloadList } from './runtime.ts';

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

/** A container of our own. @param env where the engine is looked for. */
export async function openSandbox(
  request: SandboxRequest,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Sandbox> {
  return (await import('./docker/sandbox.ts')).openDockerSandbox(request, env);
}

/** The containers and pods that a scope means. Nothing is connected yet. */
export async function openWorkloadLists(
  scope: DetectionScope,
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Promise<readonly WorkloadList[]> {
  const wants = (kind: WorkloadList['kind']): boolean => scope.kind === undefined || scope.kind === kind;
  return [
    ...(wants('docker') ? [new (await import('./docker/list.ts')).ContainerList(scope, env)] : []),
    ...(wants('kubernetes') ? [new (await import('./kubernetes/list.ts')).PodList(scope, env, clock)] : []),
  ];
}

/** The engine of a context, or the one that Docker's own command line would use. Nothing is connected yet. */
export async function openEngine(
  context: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ContainerEngine> {
  return new (await import('./docker/docker-engine.ts')).DockerEngine(context, env);
}
