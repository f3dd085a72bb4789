import type { Workload, WorkloadContainer } from '../../../domain/workload.ts';
import { COMPOSE_SERVICE, repositoryOf, type Evidence } from '../../server/evidence.ts';

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

/** Whether a container belongs to a server without being one: an exporter, a proxy, a job that dumps. */
export function isCompanion({ image, name }: WorkloadContainer): boolean {
  return COMPANION.test(repositoryOf(image)) || COMPANION.test(name);
}

/** What the container itself says. */
export function evidenceOf({ image, variables, ports, name }: WorkloadContainer): readonly Evidence[] {
  const repository = repositoryOf(image);
  const last = repository.slice(repository.lastIndexOf('/') + 1);
  const settings = Object.keys(variables).filter((it) => SETTINGS.test(it));
  const host = variables['MYSQL_HOST'] ?? variables['MARIADB_HOST'] ?? variables['DB_HOST'];
  const isClient = 'DATABASE_URL' in variables || (host !== undefined && !/^(?:localhost$|127\.)/.test(host));
  return [
    ...(SERVER.test(last) ? [{ points: 2, reason: `image ${image}` } as const] : []),
    ...(settings.length > 0 && !isClient
      ? [{ points: 1, reason: `variable ${settings.toSorted().slice(0, 3).join(', ')}` } as const]
      : []),
    ...(ports.includes(3306) ? [{ points: 1, reason: 'port 3306' } as const] : []),
    ...(NAMES.test(name) ? [{ points: 1, reason: `container ${name}` } as const] : []),
  ];
}

/** What is said of the whole. */
export function evidenceAround({ labels, name, target }: Workload): readonly Evidence[] {
  const service = labels[COMPOSE_SERVICE] ?? '';
  const isPodName = target.kind === 'kubernetes' && /^(?:.*-)?(?:mysql|mariadb)-\d+$/.test(name);
  return [
    ...NAME_LABELS.filter((label) => NAMES.test(labels[label] ?? '')).map(
      (label) => ({ points: 2, reason: `label ${label}=${labels[label] ?? ''}` }) as const,
    ),
    ...(SERVER.test(service) ? [{ points: 1, reason: `compose service ${service}` } as const] : []),
    ...(isPodName
      ? [{ points: 2, reason: `name ${name}` } as const]
      : SERVER.test(name) && !COMPANION.test(name)
        ? [{ points: 1, reason: `name ${name}` } as const]
        : []),
  ];
}
