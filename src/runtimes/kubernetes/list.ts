import { z } from 'zod';

import type { Clock } from '../../clock.ts';
import type { DetectionScope } from '../../domain/detection.ts';
import type { KubernetesTarget } from '../../domain/runtime-target.ts';
import type { Workload, WorkloadContainer } from '../../domain/workload.ts';
import { withoutSecrets } from '../../domain/workload.ts';
import { isError, throwIfAborted } from '../../errors.ts';
import type { WorkloadList } from '../runtime.ts';
import { KubernetesApi } from './api.ts';
import type { Environment } from './cluster.ts';
import { findCluster } from './find-cluster.ts';
import { DEFAULT_CONTAINER, obstacleOf, podStatus } from './pod-status.ts';

const container = z.object({
  name: z.string(),
  image: z.string().default(''),
  env: z.array(z.object({ name: z.string(), value: z.string().optional() })).nullish(),
  ports: z.array(z.object({ containerPort: z.number() })).nullish(),
});
const pod = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
    deletionTimestamp: z.string().optional(),
    ownerReferences: z.array(z.object({ kind: z.string() })).nullish(),
  }),
  spec: z.object({ containers: z.tuple([container], container) }),
  status: podStatus,
});
type Pod = z.infer<typeof pod>;
const page = z.object({ items: z.array(pod), metadata: z.object({ continue: z.string().optional() }).default({}) });

/** So many pods are asked for at once. */
const PAGE = 500;

/** The pods of a cluster. */
export class PodList implements WorkloadList {
  readonly kind = 'kubernetes';
  readonly #scope: DetectionScope;
  readonly #env: Environment;
  readonly #clock: Clock;

  /** @param env where the kubeconfig is looked for. */
  constructor(scope: DetectionScope, env: Environment, clock: Clock) {
    this.#scope = scope;
    this.#env = env;
    this.#clock = clock;
  }

  async list(signal: AbortSignal): Promise<readonly Workload[]> {
    const { context, pod: name } = this.#scope;
    const api = new KubernetesApi(await findCluster(context, this.#env, this.#clock));
    const pods = await this.#pods(api, signal);
    return pods
      .filter(({ metadata }) => name === undefined || metadata.name === name)
      .map((one) => workloadOf(one, pods, this.#scope));
  }

  /** Of all namespaces, unless one is named, or only that of the context may be seen. */
  async #pods(api: KubernetesApi, signal: AbortSignal): Promise<readonly Pod[]> {
    const { namespace } = this.#scope;
    if (namespace !== undefined) return this.#podsOf(api, namespace, signal);
    try {
      return await this.#podsOf(api, undefined, signal);
    } catch (error) {
      if (!isError(error, 'source-refused')) throw error;
      return this.#podsOf(api, api.namespace, signal);
    }
  }

  async #podsOf(api: KubernetesApi, namespace: string | undefined, signal: AbortSignal): Promise<readonly Pod[]> {
    const { labels } = this.#scope;
    const path = namespace === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (labels.length > 0) query.set('labelSelector', labels.join(','));
    const pods: Pod[] = [];
    for (;;) {
      throwIfAborted(signal);
      const found = await api.get(`${path}?${query.toString()}`, page, `list pods in ${namespace ?? 'all namespaces'}`);
      pods.push(...(found?.items ?? []));
      const next = found?.metadata.continue ?? '';
      if (next === '') return pods;
      query.set('continue', next);
    }
  }
}

function workloadOf(one: Pod, all: readonly Pod[], scope: DetectionScope): Workload {
  const { metadata, spec } = one;
  const [first, ...others] = spec.containers;
  const obstacle = obstacleOf(one);
  return {
    target: targetOf(one, all, scope),
    place: `the pod ${metadata.namespace}/${metadata.name}`,
    name: metadata.name,
    labels: metadata.labels ?? {},
    containers: [containerOf(first), ...others.map(containerOf)],
    ...(obstacle !== undefined && { obstacle }),
  };
}

/** Pods of a Deployment have another name each time: what they have in common are their labels. */
function targetOf({ metadata }: Pod, all: readonly Pod[], { context, k8sContainer }: DetectionScope): KubernetesTarget {
  const { namespace, name, annotations } = metadata;
  const container = k8sContainer ?? annotations?.[DEFAULT_CONTAINER];
  const labels = lastingLabels(metadata);
  const same = all.filter((it) => it.metadata.namespace === namespace && hasLabels(it, labels));
  const isByLabels = metadata.ownerReferences?.some(({ kind }) => kind === 'ReplicaSet') === true;
  return {
    kind: 'kubernetes',
    namespace,
    ...(isByLabels && labels.length > 0 && same.length === 1 ? { labels } : { pod: name, labels: [] }),
    ...(container !== undefined && { container }),
    ...(context !== undefined && { context }),
  };
}

function lastingLabels({ labels }: Pod['metadata']): readonly string[] {
  const lasting = Object.entries(labels ?? {}).filter(([name]) => name !== 'pod-template-hash');
  return lasting.map(([name, value]) => `${name}=${value}`).toSorted();
}

function hasLabels({ metadata }: Pod, labels: readonly string[]): boolean {
  const own = new Set(lastingLabels(metadata));
  return labels.every((label) => own.has(label));
}

function containerOf({ name, image, env, ports }: z.infer<typeof container>): WorkloadContainer {
  return {
    name,
    image,
    variables: withoutSecrets(Object.fromEntries((env ?? []).map((it) => [it.name, it.value ?? '']))),
    ports: (ports ?? []).map(({ containerPort }) => containerPort),
    hostPorts: [],
  };
}
