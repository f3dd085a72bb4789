import type { RuntimeTarget } from './runtime-target.ts';

/** Where to look for servers; what is absent limits nothing. */
export interface DetectionScope {
  readonly kind?: RuntimeTarget['kind'];
  /** Docker: its name or id. */
  readonly container?: string;
  readonly pod?: string;
  /** Absent: all that may be listed, else that of the context. */
  readonly namespace?: string;
  /** Kubernetes: a container of the pod. */
  readonly k8sContainer?: string;
  /** Labels that a container or pod has: `name=value`, or `name`. */
  readonly labels: readonly string[];
  /** Of Docker or the kubeconfig. */
  readonly context?: string;
}

/** For people. */
export const PRODUCTS: Readonly<Record<DetectedServer['kind'], string>> = {
  postgres: 'PostgreSQL',
  mysql: 'MySQL or MariaDB',
  redis: 'Redis or Valkey',
};

/** Of a container or pod: every database of its own server, as dumps. */
export const WHOLE_SERVER = 'postgresql:///?method=logical';

/** A server that was found, and how it is backed up. Holds no secret. */
export interface DetectedServer {
  readonly kind: 'postgres' | 'mysql' | 'redis';
  /** For people, and for the name of a plan: `shop-db`. */
  readonly name: string;
  /** For people: `this host`, `the container shop-db`. */
  readonly place: string;
  readonly target: RuntimeTarget;
  /** For a backup. */
  readonly address: string;
  /** For a backup by its files, where it is known that it lets itself be replicated. */
  readonly physical?: string;
  /** Why it is taken for one: `image postgres:16`. Never empty. */
  readonly reasons: readonly string[];
  /** For people: where user and password come from. */
  readonly login: string;
  readonly version?: string;
  /** Where it tells so. */
  readonly role?: 'primary' | 'replica';
  /** Ports of this host that lead to it. */
  readonly hostPorts: readonly number[];
  /** Why it cannot be backed up now: `exited`. */
  readonly obstacle?: string;
}

/** Where it could not be looked, and why. */
export interface Unseen {
  readonly kind: RuntimeTarget['kind'];
  readonly reason: string;
  readonly hint?: string;
}

export interface Detection {
  readonly servers: readonly DetectedServer[];
  readonly unseen: readonly Unseen[];
}

/** Those that a backup may mean: of each kind a replica only where nothing else of it is there. */
export function backupCandidates(servers: readonly DetectedServer[]): readonly DetectedServer[] {
  const usable = servers.filter(({ obstacle }) => obstacle === undefined);
  const hasPrimary = new Set(usable.filter(({ role }) => role !== 'replica').map(({ kind }) => kind));
  return usable.filter(({ kind, role }) => role !== 'replica' || !hasPrimary.has(kind));
}

/** Those of them that a backup means where nobody names one: a cache beside a database is not what is looked for. */
export function likelyMeant(servers: readonly DetectedServer[]): readonly DetectedServer[] {
  const candidates = backupCandidates(servers);
  const databases = candidates.filter(({ kind }) => kind !== 'redis');
  return databases.length > 0 ? databases : candidates;
}
