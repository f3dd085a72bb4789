import type { Workload, WorkloadContainer } from '../../../domain/workload.ts';
import { COMPOSE_SERVICE, isCompanionOf, repositoryOf, type Evidence } from '../../server/evidence.ts';

/** What belongs to servers of PostgreSQL, but is none. */
const COMPANION =
  /export|bouncer|pgpool|pgcat|admin|backup|dump|restore|operator|client|proxy|migrat|metrics|postgrest|backrest/i;
const SERVER = /(?:^|[-_.])(?:postgres(?:ql)?|postgis|pgvector|timescaledb|spilo|citus|pgsql)(?:$|[-_.\d])/i;

/** What people call it in labels. */
const NAME_LABELS = [
  'app',
  'app.kubernetes.io/name',
  'app.kubernetes.io/component',
  'app.kubernetes.io/part-of',
  'application',
  'component',
  'k8s-app',
  'name',
  'service',
  'tier',
];
const NAMES = /^(?:postgres(?:ql)?|postgis|timescaledb|spilo|pgsql)(?:[-_]?\d+)?$/i;
/** What operators put on each server that they run. */
const OPERATOR_LABELS = ['cnpg.io/instanceName', 'postgres-operator.crunchydata.com/instance', 'stackgres.io/cluster'];

/** Whether a container belongs to a server without being one: an exporter, a pooler, a job that dumps. */
export function isCompanion(container: WorkloadContainer): boolean {
  return isCompanionOf(COMPANION, container);
}

/** What the container itself says. */
export function evidenceOf({ image, variables, ports, name }: WorkloadContainer): readonly Evidence[] {
  const found: Evidence[] = [];
  const repository = repositoryOf(image);
  const last = repository.slice(repository.lastIndexOf('/') + 1);
  if (SERVER.test(last)) found.push({ points: 2, reason: `image ${image}` });
  if (!isClient(variables)) {
    const folder = ['PGDATA', 'POSTGRESQL_DATA_DIR', 'POSTGRESQL_VOLUME_DIR'].find((it) => it in variables);
    if (folder !== undefined) found.push({ points: 2, reason: `variable ${folder}` });
    const settings = Object.keys(variables).filter((it) => /^POSTGRES(?:QL)?_/.test(it));
    if (settings.length > 0)
      found.push({ points: 1, reason: `variable ${settings.toSorted().slice(0, 3).join(', ')}` });
  }
  if (ports.includes(5432)) found.push({ points: 1, reason: 'port 5432' });
  if (NAMES.test(name)) found.push({ points: 1, reason: `container ${name}` });
  return found;
}

/** What is said of the whole. */
export function evidenceAround({ labels, name, target }: Workload): readonly Evidence[] {
  const found: Evidence[] = [];
  const named = NAME_LABELS.filter((label) => NAMES.test(labels[label] ?? ''));
  for (const label of [...named, ...OPERATOR_LABELS.filter((it) => it in labels)])
    found.push({ points: 2, reason: `label ${label}=${labels[label] ?? ''}` });
  const service = labels[COMPOSE_SERVICE] ?? '';
  if (SERVER.test(service) || /^(?:db|database|pg)$/i.test(service))
    found.push({ points: 1, reason: `compose service ${service}` });
  if (target.kind === 'kubernetes' && /^(?:.*-)?postgres(?:ql)?-\d+$/.test(name))
    found.push({ points: 2, reason: `name ${name}` });
  else if (SERVER.test(name) && !COMPANION.test(name)) found.push({ points: 1, reason: `name ${name}` });
  return found;
}

/** Who is told where a server is has none, as far as that is another machine. */
function isClient(variables: Readonly<Record<string, string>>): boolean {
  const host = variables['PGHOST'] ?? variables['POSTGRES_HOST'] ?? variables['POSTGRESQL_HOST'];
  return 'DATABASE_URL' in variables || (host !== undefined && !/^(?:\/|localhost$|127\.)/.test(host));
}
