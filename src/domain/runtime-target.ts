/** A container of an engine such as Docker's: by name or id, or the only running one that has the labels. */
export interface DockerTarget {
  readonly kind: 'docker';
  readonly container?: string;
  /** `name=value`, or `name`. */
  readonly labels: readonly string[];
  /** Which of Docker's contexts; absent: the one that Docker's own command line would use. */
  readonly context?: string;
}

/** A container of a pod: by the pod's name, or the only ready one that has the labels. */
export interface KubernetesTarget {
  readonly kind: 'kubernetes';
  readonly pod?: string;
  /** A label selector, such as `app=db`. */
  readonly labels: readonly string[];
  /** Absent: the one that the context, or the pod that we run in, means. */
  readonly namespace?: string;
  /** Absent: the pod's default, or only, container. */
  readonly container?: string;
  /** Of the kubeconfig; absent: its current one, or the cluster that we run in. */
  readonly context?: string;
}

/** Where the tools of sources run. */
export type RuntimeTarget = { readonly kind: 'host' } | DockerTarget | KubernetesTarget;

/**
 * What tells the places apart that a configuration speaks of: `docker/shop-db`, `kubernetes/shop/db-0/postgres`. It is
 * made of what is said, not of what is found: a pod that is meant by its labels stays the same place when another one
 * takes over. Undefined for this host.
 */
export function targetPath(target: RuntimeTarget): string | undefined {
  switch (target.kind) {
    case 'host':
      return undefined;
    case 'docker':
      return pathOf('docker', target.context, target.container ?? target.labels.toSorted().join(','));
    case 'kubernetes': {
      const { context, namespace, pod, labels, container } = target;
      return pathOf('kubernetes', context, namespace, pod ?? labels.toSorted().join(','), container);
    }
  }
}

function pathOf(...parts: readonly (string | undefined)[]): string {
  const given = parts.filter((part) => part !== undefined);
  return given.map((part) => part.replaceAll('%', '%25').replaceAll('/', '%2f')).join('/');
}
