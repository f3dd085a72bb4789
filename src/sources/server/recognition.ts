import type { DetectedServer } from '../../domain/detection.ts';
import type { Workload, WorkloadContainer } from '../../domain/workload.ts';
import { pointsOf, type Evidence } from './evidence.ts';

/** Labels by which people say it themselves. */
const OWN = {
  enable: 'respaldo.enable',
  source: 'respaldo.source',
  plan: 'respaldo.plan',
  databases: 'respaldo.databases',
};

/** By what servers of one kind are known. */
export interface Marks {
  readonly kind: DetectedServer['kind'];
  /** What people call the kind in a label. */
  readonly called: RegExp;
  readonly superuser: string;
  /** Labels that may tell the role, and what they then say. */
  readonly roles: { readonly labels: readonly string[]; readonly replica: RegExp; readonly primary: RegExp };
  /** What is said of the whole. */
  readonly evidenceAround: (workload: Workload) => readonly Evidence[];
  /** What a container itself says. */
  readonly evidenceOf: (container: WorkloadContainer) => readonly Evidence[];
  /** Whether a container belongs to a server without being one. */
  readonly isCompanion: (container: WorkloadContainer) => boolean;
  readonly versionOf: (container: WorkloadContainer) => string | undefined;
  /** Names of variables that tell the login, the first that is set counting. */
  readonly loginVariables: (isSet: (name: string) => boolean) => {
    readonly users: readonly string[];
    readonly passwords: readonly string[];
  };
  /** @param databases their names, percent-encoded, with commas between; '': all of them */
  readonly addressOf: (databases: string) => string;
}

/** The server that a container or pod is, judged by what is told of it; undefined where it seems to be none. */
export function recogniseBy(marks: Marks, workload: Workload): DetectedServer | undefined {
  const { labels, target, place, obstacle } = workload;
  const declared = labels[OWN.source];
  if (labels[OWN.enable] === 'false') return undefined;
  if (declared !== undefined && !marks.called.test(declared)) return undefined;
  const around = marks.evidenceAround(workload);
  const container = serverContainer(marks, workload, declared !== undefined, pointsOf(around) > 1);
  if (container === undefined) return undefined;
  const evidence: readonly Evidence[] = [
    ...(declared === undefined ? [] : [{ points: 2, reason: `label ${OWN.source}=${declared}` } as const]),
    ...marks.evidenceOf(container),
    ...around,
  ];
  if (pointsOf(evidence) < 2) return undefined;
  const version = marks.versionOf(container);
  const role = roleOf(marks, labels);
  return {
    kind: marks.kind,
    name: labels[OWN.plan] ?? workload.name,
    place,
    target:
      target.kind === 'kubernetes' && workload.containers.length > 1
        ? { ...target, container: container.name }
        : target,
    address: marks.addressOf(namesIn(labels[OWN.databases])),
    reasons: evidence.map(({ reason }) => reason),
    login: loginOf(marks, container.variables),
    hostPorts: container.hostPorts,
    ...(version !== undefined && { version }),
    ...(role !== undefined && { role }),
    ...(obstacle !== undefined && { obstacle }),
  };
}

/**
 * Of several containers the one that most speaks for; companions never count, unless somebody says that it is one.
 * @param isCertain something around them says that one of them is a server.
 */
function serverContainer(
  { isCompanion, evidenceOf }: Marks,
  { containers, target }: Workload,
  isDeclared: boolean,
  isCertain: boolean,
): WorkloadContainer | undefined {
  const [first] = containers;
  const named = target.kind === 'kubernetes' ? containers.find(({ name }) => name === target.container) : undefined;
  if (named !== undefined) return named;
  if (containers.length === 1) return isDeclared || !isCompanion(first) ? first : undefined;
  const servers = containers
    .filter((container) => !isCompanion(container))
    .map((container) => ({ container, points: pointsOf(evidenceOf(container)) }));
  const best = servers.toSorted((one, other) => other.points - one.points)[0];
  return best !== undefined && (best.points > 0 || isDeclared || isCertain) ? best.container : undefined;
}

function namesIn(databases = ''): string {
  const names = databases.split(',').map((name) => encodeURIComponent(name.trim()));
  return names.filter((name) => name !== '').join(',');
}

function loginOf({ loginVariables, superuser }: Marks, variables: Readonly<Record<string, string>>): string {
  const given = (names: readonly string[]): string | undefined =>
    names.flatMap((name) => [name, `${name}_FILE`]).find((name) => name in variables);
  const { users, passwords } = loginVariables((name) => name in variables);
  const found = [given(users), given(passwords)].filter((name) => name !== undefined);
  return found.length === 0 ? `user ${superuser}` : `its own ${found.join(', ')}`;
}

function roleOf({ roles }: Marks, labels: Readonly<Record<string, string>>): DetectedServer['role'] {
  const values = roles.labels.flatMap((label) => labels[label] ?? []);
  if (values.some((value) => roles.replica.test(value))) return 'replica';
  return values.some((value) => roles.primary.test(value)) ? 'primary' : undefined;
}
