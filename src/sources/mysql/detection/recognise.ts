import type { DetectedServer } from '../../../domain/detection.ts';
import type { Workload, WorkloadContainer } from '../../../domain/workload.ts';
import { loginVariables } from '../login-variables.ts';
import { evidenceAround, evidenceOf, isCompanion, type Evidence } from './evidence.ts';

/** Labels by which people say it themselves. */
const OWN = {
  enable: 'respaldo.enable',
  source: 'respaldo.source',
  plan: 'respaldo.plan',
  databases: 'respaldo.databases',
};
const ROLE_LABELS = ['role', 'app.kubernetes.io/component', 'k8s.mariadb.com/role', 'mysql.oracle.com/cluster-role'];

/** The server that a container or pod is, judged by what is told of it; undefined where it seems to be none. */
export function recognise(workload: Workload): DetectedServer | undefined {
  const { labels, target, place, obstacle } = workload;
  const declared = labels[OWN.source];
  if (labels[OWN.enable] === 'false') return undefined;
  if (declared !== undefined && !/^(?:mysql|mariadb)$/.test(declared)) return undefined;
  const around = evidenceAround(workload);
  const container = serverContainer(workload, declared !== undefined || pointsOf(around) > 1);
  if (container === undefined) return undefined;
  const evidence: readonly Evidence[] = [
    ...(declared === undefined ? [] : [{ points: 2, reason: `label ${OWN.source}=${declared}` } as const]),
    ...evidenceOf(container),
    ...around,
  ];
  if (pointsOf(evidence) < 2) return undefined;
  const version = versionOf(container);
  const role = roleOf(labels);
  return {
    kind: 'mysql',
    name: labels[OWN.plan] ?? workload.name,
    place,
    target:
      target.kind === 'kubernetes' && workload.containers.length > 1
        ? { ...target, container: container.name }
        : target,
    address: addressOf(labels[OWN.databases]),
    reasons: evidence.map(({ reason }) => reason),
    login: loginOf(container.variables),
    hostPorts: container.hostPorts,
    ...(version !== undefined && { version }),
    ...(role !== undefined && { role }),
    ...(obstacle !== undefined && { obstacle }),
  };
}

/** Of several containers the one that most speaks for; companions never count, unless somebody names them. */
function serverContainer({ containers, target }: Workload, isCertain: boolean): WorkloadContainer | undefined {
  const named = target.kind === 'kubernetes' ? containers.find(({ name }) => name === target.container) : undefined;
  if (named !== undefined) return named;
  const servers = containers.filter((container) => !isCompanion(container));
  const [best] = servers
    .map((container) => ({ container, points: pointsOf(evidenceOf(container)) }))
    .toSorted((one, other) => other.points - one.points);
  return best !== undefined && (best.points > 0 || isCertain || containers.length === 1) ? best.container : undefined;
}

function pointsOf(evidence: readonly Evidence[]): number {
  return evidence.reduce((sum, { points }) => sum + points, 0);
}

function addressOf(databases: string | undefined): string {
  const names = (databases ?? '').split(',').map((name) => encodeURIComponent(name.trim()));
  return `mysql:///${names.filter((name) => name !== '').join(',')}`;
}

function loginOf(variables: Readonly<Record<string, string>>): string {
  const given = (names: readonly string[]): string | undefined =>
    names.flatMap((name) => [name, `${name}_FILE`]).find((name) => name in variables);
  const { users, passwords } = loginVariables((name) => name in variables);
  const found = [given(users), given(passwords)].filter((name) => name !== undefined);
  return found.length === 0 ? 'user root' : `its own ${found.join(', ')}`;
}

function versionOf({ image, variables }: WorkloadContainer): string | undefined {
  const told = variables['MARIADB_VERSION'] ?? variables['MYSQL_VERSION'] ?? variables['APP_VERSION'];
  const tag = /:(\d+(?:\.\d+)*)(?:[-.@]|$)/.exec(image)?.[1];
  return /(?:^|:)(\d+(?:\.\d+)+)/.exec(told ?? '')?.[1] ?? tag;
}

function roleOf(labels: Readonly<Record<string, string>>): DetectedServer['role'] {
  const values = ROLE_LABELS.map((label) => labels[label]?.toLowerCase() ?? '');
  if (values.some((value) => /^(?:replica|secondary|slave|standby|read)$/.test(value))) return 'replica';
  return values.some((value) => /^(?:primary|master)$/.test(value)) ? 'primary' : undefined;
}
