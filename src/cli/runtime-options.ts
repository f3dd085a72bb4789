import { Option, type Command } from 'commander';
import type { DetectionScope } from '../domain/detection.ts';
import type { RuntimeTarget } from '../domain/runtime-target.ts';
import { RespaldoError } from '../errors.ts';
import { collect } from './select.ts';

/** What the command line says of where tools run. */
export interface RuntimeOptions {
  readonly runtime?: RuntimeTarget['kind'];
  readonly container?: string;
  readonly pod?: string;
  readonly namespace?: string;
  readonly labels: readonly string[];
  readonly k8sContainer?: string;
  readonly context?: string;
}

export function addRuntimeOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--runtime <kind>', 'where the tools of a database run').choices(['host', 'docker', 'kubernetes']),
    )
    .option('--container <name>', 'Docker: a container, by name or id')
    .option('--pod <name>', 'Kubernetes: a pod')
    .option('--namespace <name>', 'Kubernetes: its namespace')
    .option('--labels <label,…>', 'the container or pod that has these labels (repeatable)', collect, [])
    .option('--k8s-container <name>', 'Kubernetes: a container of the pod')
    .option('--context <name>', 'of Docker, or of the kubeconfig');
}

/**
 * What the options say of where to look. `--container` and `--pod` say the kind of runtime too.
 * @throws RespaldoError `usage` where options contradict each other.
 */
export function runtimeScope(options: RuntimeOptions): DetectionScope {
  const { runtime, container, pod, namespace, k8sContainer, context } = options;
  const labels = options.labels.flatMap((list) => list.split(',')).filter((label) => label !== '');
  const forDocker = container !== undefined;
  const forKubernetes = pod !== undefined || namespace !== undefined || k8sContainer !== undefined;
  const kind = runtime ?? (forDocker ? 'docker' : forKubernetes ? 'kubernetes' : undefined);
  const anything = forDocker || forKubernetes || labels.length > 0 || context !== undefined;
  if (kind === undefined) {
    if (!anything) return { labels };
    throw wrong('--labels and --context do not say what they are of', 'Add --runtime docker or --runtime kubernetes.');
  }
  if ((forDocker && kind !== 'docker') || (forKubernetes && kind !== 'kubernetes') || (anything && kind === 'host'))
    throw wrong(`some of the options are not for the runtime ${kind}`, 'See --help for what belongs to which.');
  return {
    kind,
    labels,
    ...(container !== undefined && { container }),
    ...(pod !== undefined && { pod }),
    ...(namespace !== undefined && { namespace }),
    ...(k8sContainer !== undefined && { k8sContainer }),
    ...(context !== undefined && { context }),
  };
}

/** Whether a scope says which container or pod is meant, and not only where to look for one. */
export function isTarget({ container, pod, labels }: DetectionScope): boolean {
  return container !== undefined || pod !== undefined || labels.length > 0;
}

/**
 * Undefined where nothing is said.
 * @throws RespaldoError `usage` as {@link runtimeScope}, and where it is not said which container or pod is meant.
 */
export function runtimeTarget(options: RuntimeOptions): RuntimeTarget | undefined {
  const { kind, container, pod, namespace, k8sContainer, labels, context } = runtimeScope(options);
  const where = { labels, ...(context !== undefined && { context }) };
  switch (kind) {
    case undefined:
      return undefined;
    case 'host':
      return { kind };
    case 'docker':
      requireOne(container, labels, '--container');
      return { kind, ...where, ...(container !== undefined && { container }) };
    case 'kubernetes':
      requireOne(pod, labels, '--pod');
      return {
        kind,
        ...where,
        ...(pod !== undefined && { pod }),
        ...(namespace !== undefined && { namespace }),
        ...(k8sContainer !== undefined && { container: k8sContainer }),
      };
  }
}

function requireOne(name: string | undefined, labels: readonly string[], option: string): void {
  if ((name === undefined) !== (labels.length === 0)) return;
  throw wrong(`exactly one of ${option} and --labels says which one is meant`, `Give ${option}, or --labels.`);
}

function wrong(message: string, hint: string): RespaldoError {
  return new RespaldoError('usage', message, { hint });
}
