import type { DockerTarget, KubernetesTarget } from './runtime-target.ts';

/** What an engine tells of a container, or a cluster of a pod, before anybody has looked into it. */
export interface Workload {
  /** How it is reached. */
  readonly target: DockerTarget | KubernetesTarget;
  /** For people: `the container shop-db`. */
  readonly place: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** One of Docker, those of a pod. */
  readonly containers: readonly [WorkloadContainer, ...WorkloadContainer[]];
  /** Why nothing can be run in it: `exited`, `CrashLoopBackOff`. */
  readonly obstacle?: string;
}

export interface WorkloadContainer {
  readonly name: string;
  /** As it was asked for: `docker.io/library/postgres:16`. */
  readonly image: string;
  /** What is set for its programs. The value of what may be a secret, or comes from elsewhere, is empty. */
  readonly variables: Readonly<Record<string, string>>;
  /** Those that it says it listens on. */
  readonly ports: readonly number[];
  /** Ports of this host that lead to it. */
  readonly hostPorts: readonly number[];
}

/** Of variables, what may be known to everybody: names that sound of a secret keep no value. Files have names only. */
export function withoutSecrets(variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, isHarmless(name, value) ? value : '']),
  );
}

/** An address may hold a password, whatever its variable is called. */
function isHarmless(name: string, value: string): boolean {
  if (/:\/\//.test(value)) return false;
  return /_FILE$/i.test(name) || !/pass|pwd|secret|token|key|credential|auth/i.test(name);
}
