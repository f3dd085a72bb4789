import type { Workload, WorkloadContainer } from '../../../domain/workload.ts';
import { COMPOSE_SERVICE, repositoryOf, type Evidence } from '../../server/evidence.ts';

/** What belongs to such servers, but is none. */
const COMPANION =
  /export|proxy|sentinel|commander|insight|admin|ui$|backup|dump|restore|operator|client|migrat|metrics|envoy|browser/i;
const SERVER = /(?:^|[-_.])(?:redis|valkey)(?:-(?:stack|stack-server|server|cluster|bundle))?(?:$|[-_.\d])/i;
const NAME_LABELS = ['app', 'app.kubernetes.io/name', 'application', 'component', 'k8s-app', 'name', 'service'];
const NAMES = /^(?:redis|valkey)(?:[-_]?\d+|-(?:server|master|primary|replicas?|cluster))?$/i;
/** By these an image makes its server. */
const SETTINGS = /^(?:REDIS|VALKEY)_(?:VERSION|REPLICATION_MODE|AOF_ENABLED|DATA_DIR|EXTRA_FLAGS|DOWNLOAD_URL)$/;

/** Whether a container belongs to a server without being one: an exporter, a sentinel, a console. */
export function isCompanion({ image, name }: WorkloadContainer): boolean {
  return COMPANION.test(repositoryOf(image)) || COMPANION.test(name);
}

/** What the container itself says. */
export function evidenceOf({ image, variables, ports, name }: WorkloadContainer): readonly Evidence[] {
  const repository = repositoryOf(image);
  const last = repository.slice(repository.lastIndexOf('/') + 1);
  const settings = Object.keys(variables).filter((it) => SETTINGS.test(it));
  const isClient = 'REDIS_URL' in variables || 'REDIS_HOST' in variables || 'VALKEY_HOST' in variables;
  return [
    ...(SERVER.test(last) ? [{ points: 2, reason: `image ${image}` } as const] : []),
    ...(settings.length > 0 && !isClient
      ? [{ points: 1, reason: `variable ${settings.toSorted().slice(0, 3).join(', ')}` } as const]
      : []),
    ...(ports.includes(6379) ? [{ points: 1, reason: 'port 6379' } as const] : []),
    ...(NAMES.test(name) ? [{ points: 1, reason: `container ${name}` } as const] : []),
  ];
}

/** What is said of the whole. */
export function evidenceAround({ labels, name, target }: Workload): readonly Evidence[] {
  const service = labels[COMPOSE_SERVICE] ?? '';
  const isPodName = target.kind === 'kubernetes' && /^(?:.*-)?(?:redis|valkey)(?:-\w+)?-\d+$/.test(name);
  return [
    ...NAME_LABELS.filter((label) => NAMES.test(labels[label] ?? '')).map(
      (label) => ({ points: 2, reason: `label ${label}=${labels[label] ?? ''}` }) as const,
    ),
    ...(NAMES.test(service) ? [{ points: 1, reason: `compose service ${service}` } as const] : []),
    ...(isPodName ? [{ points: 1, reason: `name ${name}` } as const] : []),
  ];
}
