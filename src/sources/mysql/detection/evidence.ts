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
  /export|proxy|maxscale|router|admin|adminer|backup|dump|restore|operator|client|migrat|metrics|orchestrator/i;
const SERVER = /(?:^|[-_.])(?:mysql|mariadb|percona(?:-server)?|percona-xtradb-cluster)(?:$|[-_.\d])/i;
const NAME_LABELS = [
  'app',
  'app.kubernetes.io/name',
  'app.kubernetes.io/component',
  'application',
  'component',
  'k8s-app',
  'name',
  'service',
];
const NAMES = /^(?:mysql|mariadb|percona)(?:[-_]?\d+)?$/i;
/** By these an image makes its server. */
const SETTINGS = /^(?:MARIADB|MYSQL)_(?:ROOT_PASSWORD|ALLOW_EMPTY|RANDOM_ROOT|ROOT_HOST|DATABASE|INITDB|REPLICATION)/;
const SIGNS: Signs = { image: SERVER, settings: SETTINGS, port: 3306, names: NAMES, labels: NAME_LABELS };

/** Whether a container belongs to a server without being one: an exporter, a proxy, a job that dumps. */
export function isCompanion(container: WorkloadContainer): boolean {
  return isCompanionOf(COMPANION, container);
}

/** What the container itself says. */
export function evidenceOf(container: WorkloadContainer): readonly Evidence[] {
  const { variables } = container;
  const host = variables['MYSQL_HOST'] ?? variables['MARIADB_HOST'] ?? variables['DB_HOST'];
  const isClient = 'DATABASE_URL' in variables || (host !== undefined && !/^(?:localhost$|127\.)/.test(host));
  return evidenceOfContainer(SIGNS, container, isClient);
}

/** What is said of the whole. */
export function evidenceAround({ labels, name, target }: Workload): readonly Evidence[] {
  const service = labels[COMPOSE_SERVICE] ?? '';
  const isPodName = target.kind === 'kubernetes' && /^(?:.*-)?(?:mysql|mariadb)-\d+$/.test(name);
  return [
    ...evidenceOfLabels(SIGNS, labels),
    ...(SERVER.test(service) ? [{ points: 1, reason: `compose service ${service}` } as const] : []),
    ...(isPodName
      ? [{ points: 2, reason: `name ${name}` } as const]
      : SERVER.test(name) && !COMPANION.test(name)
        ? [{ points: 1, reason: `name ${name}` } as const]
        : []),
  ];
}
