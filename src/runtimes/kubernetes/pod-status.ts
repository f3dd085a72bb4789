import { z } from 'zod';

import type { ContainerImage } from '../../domain/container-image.ts';

/** Says which of a pod's containers is meant where nobody says it. */
export const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

const containerStatus = z.object({
  name: z.string(),
  image: z.string().default(''),
  imageID: z.string().default(''),
  ready: z.boolean().default(false),
  state: z
    .object({
      running: z.object({}).optional(),
      waiting: z.object({ reason: z.string().optional() }).optional(),
      terminated: z.object({ reason: z.string().optional() }).optional(),
    })
    .default({}),
});

/** The part of a pod that tells how it is. */
export const podStatus = z
  .object({ phase: z.string().optional(), containerStatuses: z.array(containerStatus).nullish() })
  .default({});

interface Pod {
  readonly metadata: { readonly deletionTimestamp?: string | undefined };
  readonly status: z.infer<typeof podStatus>;
}

/** Nodes tell where they have it from: `docker.io/library/postgres@sha256:…`, some with a scheme before it. */
export function imageOf({ status }: Pod, container: string): ContainerImage {
  const { image = '', imageID = '' } = status.containerStatuses?.find((it) => it.name === container) ?? {};
  const digest = imageID.replace(/^[a-z-]+:\/\//, '');
  return { name: image, ...(digest.includes('@sha256:') && { digest }) };
}

/** Why nothing can be run in a container; undefined: it runs. */
export function containerObstacle({ status }: Pod, container: string): string | undefined {
  const state = status.containerStatuses?.find((it) => it.name === container)?.state;
  if (state?.running !== undefined) return undefined;
  return state?.waiting?.reason ?? state?.terminated?.reason ?? status.phase ?? 'unknown';
}

/** Why nothing can be run in the pod. */
export function obstacleOf(pod: Pod): string | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) return 'being deleted';
  const all = pod.status.containerStatuses ?? [];
  if (all.some(({ state }) => state.running !== undefined)) return undefined;
  return containerObstacle(pod, all[0]?.name ?? '');
}
