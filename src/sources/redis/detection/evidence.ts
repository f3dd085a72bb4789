import type { Workload, WorkloadContainer } from '../../../domain/workload.ts';
import {
  COMPOSE_SERVICE,
  type Evidence,
  evidenceOfContainer,
  evidenceOfLabels,
  isCompanionOf,
  type Signs,
} from '../../server/evidence.ts';

/** What belongs to such servers, but is none. */
const COMPANION =
  /export|proxy|sentinel|commander|insight|admin|ui$|backup|dump|restore|operator|client|migrat|metrics|envoy|browser/i;
const SERVER = /(?:^|[-_.])(?:redis|valkey)(?:-(?:stack|stack-server|server|cluster|bundle))?(?:$|[-_.\d])/i;
const NAME_LABELS = ['app', 'app.kubernetes.io/name', 'application', 'component', 'k8s-app', 'name', 'service'];
const NAMES = /^(?:redis|valkey)(?:[-_]?\d+|-(?:server|master|primary|replicas?|cluster))?$/i;
/** By these an image makes its server. */
const SETTINGS = /^(?:REDIS|VALKEY)_(?:VERSION|REPLICATION_MODE|AOF_ENABLED|DATA_DIR|EXTRA_FLAGS|DOWNLOAD_URL)$/;
const SIGNS: Signs = { image: SERVER, settings: SETTINGS, port: 6379, names: NAMES, labels: NAME_LABELS };

/** Whether a container belongs to a server without being one: an exporter, a sentinel, a console. */
export function isCompanion(container: WorkloadContainer): boolean {
  return isCompanionOf(COMPANION, container);
}

/** What the container itself says. */
export function evidenceOf(container: WorkloadContainer): readonly Evidence[] {
  const { variables } = container;
  const isClient = 'REDIS_URL' in variables || 'REDIS_HOST' in variables || 'VALKEY_HOST' in variables;
  return evidenceOfContainer(SIGNS, container, isClient);
}

/** What is said of the whole. */
export function evidenceAround({ labels, name, target }: Workload): readonly Evidence[] {
  const service = labels[COMPOSE_SERVICE] ?? '';
  const isPodName = target.kind === 'kubernetes' && /^(?:.*-)?(?:redis|valkey)(?:-\w+)?-\d+$/.test(name);
  return [
    ...evidenceOfLabels(SIGNS, labels),
    ...(NAMES.test(service) ? [{ points: 1, reason: `compose service ${service}` } as const] : []),
    ...(isPodName ? [{ points: 1, reason: `name ${name}` } as const] : []),
  ];
}
