import { z } from 'zod';

import type { KubernetesTarget } from '../../domain/runtime-target.ts';
import { RespaldoError } from '../../errors.ts';
import type { KubernetesApi } from './api.ts';
import { PodContainer } from './pod-container.ts';
import { containerObstacle, DEFAULT_CONTAINER, imageOf, podStatus } from './pod-status.ts';

const pod = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    deletionTimestamp: z.string().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.object({ containers: z.array(z.object({ name: z.string() })) }),
  status: podStatus,
});
type Pod = z.infer<typeof pod>;
const podList = z.object({ items: z.array(pod) });

/**
 * The container that is meant. A pod that is named must run; of those that have the labels, only ready ones count.
 * @throws RespaldoError `usage`, `source-missing`, `source-refused`, and the API's.
 */
export async function findPod(api: KubernetesApi, target: KubernetesTarget): Promise<PodContainer> {
  const namespace = target.namespace ?? api.namespace;
  const found =
    target.pod !== undefined
      ? await named(api, namespace, target.pod)
      : await labelled(api, namespace, target.labels, target.container);
  const container = containerOf(found, namespace, target.container);
  requireRunning(found, namespace, container);
  const { name, uid } = found.metadata;
  return new PodContainer(api, { namespace, pod: name, uid, container }, imageOf(found, container));
}

async function named(api: KubernetesApi, namespace: string, name: string): Promise<Pod> {
  const found = await api.get(`${podsOf(namespace)}/${encodeURIComponent(name)}`, pod, `get pods in ${namespace}`);
  if (found !== undefined) return found;
  const others = (await list(api, namespace)).map((it) => it.metadata.name);
  throw new RespaldoError('source-missing', `there is no pod "${name}" in the namespace ${namespace}`, {
    hint: others.length === 0 ? 'The namespace has no pods.' : `It has: ${shortened(others)}.`,
  });
}

async function labelled(
  api: KubernetesApi,
  namespace: string,
  labels: readonly string[],
  container: string | undefined,
): Promise<Pod> {
  if (labels.length === 0) {
    throw new RespaldoError('usage', 'the runtime kubernetes does not say which pod is meant', {
      hint: 'Give `pod: name`, or `labels`.',
    });
  }
  const said = `with the labels ${labels.join(',')} in the namespace ${namespace}`;
  const all = await list(api, namespace, labels);
  const [ready, ...others] = all.filter((it) => isReady(it, container));
  if (ready !== undefined && others.length === 0) return ready;
  if (ready !== undefined) {
    throw new RespaldoError('usage', `several pods ${said} are ready: ${namesOf([ready, ...others])}`, {
      hint: 'Name one of them, or add a label that only one has.',
    });
  }
  if (all.length > 0) {
    throw new RespaldoError('source-refused', `no pod ${said} is ready: ${namesOf(all)}`, {
      hint: 'Wait until it is, or name the pod: then it need only run.',
    });
  }
  throw new RespaldoError('source-missing', `there is no pod ${said}`, {
    hint: `kubectl get pods -n ${namespace} --show-labels`,
  });
}

/** @throws RespaldoError `usage` if it is not clear which one, `source-missing` if there is no such one. */
function containerOf({ metadata, spec }: Pod, namespace: string, wanted: string | undefined): string {
  const names = spec.containers.map((it) => it.name);
  const [first, second] = names;
  const chosen = wanted ?? metadata.annotations?.[DEFAULT_CONTAINER] ?? (second === undefined ? first : undefined);
  const place = `the pod ${namespace}/${metadata.name}`;
  if (chosen === undefined) {
    throw new RespaldoError('usage', `${place} has several containers: ${names.join(', ')}`, {
      hint: 'Say which one is meant: container.',
    });
  }
  if (names.includes(chosen)) return chosen;
  throw new RespaldoError('source-missing', `${place} has no container "${chosen}"`, {
    hint: `It has: ${names.join(', ')}.`,
  });
}

function requireRunning(found: Pod, namespace: string, container: string): void {
  const { name, deletionTimestamp } = found.metadata;
  const place = `the pod ${namespace}/${name}`;
  if (deletionTimestamp !== undefined)
    throw new RespaldoError('source-refused', `${place} is being deleted`, {
      hint: 'Try again when its successor runs.',
    });
  const reason = containerObstacle(found, container);
  if (reason === undefined) return;
  throw new RespaldoError('source-refused', `the container ${container} of ${place} is not running: ${reason}`, {
    hint: `kubectl describe pod -n ${namespace} ${name}`,
  });
}

function isReady({ metadata, status }: Pod, container: string | undefined): boolean {
  if (metadata.deletionTimestamp !== undefined || status.phase !== 'Running') return false;
  const all = (status.containerStatuses ?? []).filter((it) => container === undefined || it.name === container);
  return all.length > 0 && all.every((it) => it.ready);
}

async function list(api: KubernetesApi, namespace: string, labels: readonly string[] = []): Promise<readonly Pod[]> {
  const query = labels.length === 0 ? '' : `?labelSelector=${encodeURIComponent(labels.join(','))}`;
  return (await api.get(podsOf(namespace) + query, podList, `list pods in ${namespace}`))?.items ?? [];
}

function podsOf(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
}

function namesOf(pods: readonly Pod[]): string {
  return shortened(pods.map((it) => it.metadata.name));
}

function shortened(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, 10);
  return shown.join(', ') + (names.length > shown.length ? ', …' : '');
}
