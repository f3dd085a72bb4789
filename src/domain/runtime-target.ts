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
