import type { Clock } from '../../clock.ts';
import type { ContainerImage } from '../../domain/container-image.ts';
import type { KubernetesTarget } from '../../domain/runtime-target.ts';
import type { Patience } from '../container/contained-program.ts';
import { ContainedProgram } from '../container/contained-program.ts';
import { outputOf } from '../program.ts';
import type { Command, Runtime } from '../runtime.ts';
import { KubernetesApi } from './api.ts';
import type { Environment } from './cluster.ts';
import { findCluster } from './find-cluster.ts';
import type { PodContainer } from './pod-container.ts';
import { findPod } from './pods.ts';

/** Milliseconds. */
const PATIENCE: Patience = { grace: 5000, pulse: 15_000 };

/** Runs programs in a container of a pod, through the cluster's API. */
export class KubernetesRuntime implements Runtime {
  readonly kind = 'kubernetes';
  readonly #target: KubernetesTarget;
  readonly #env: Environment;
  readonly #clock: Clock;
  readonly #patience: Patience;
  /** Found when it is first needed; from then on only that one is meant. */
  #pod: PodContainer | undefined;

  /** @param env where the kubeconfig is looked for. */
  constructor(target: KubernetesTarget, env: Environment, clock: Clock, patience: Partial<Patience> = {}) {
    this.#target = target;
    this.#env = env;
    this.#clock = clock;
    this.#patience = { ...PATIENCE, ...patience };
  }

  get place(): string {
    const { pod, labels } = this.#target;
    return this.#pod?.place ?? `the pod ${pod ?? `with the labels ${labels.join(',')}`}`;
  }

  run(command: Command, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const start = async () => ContainedProgram.start(await this.#find(), command, this.#patience, signal);
    return outputOf(start, command, signal);
  }

  async image(): Promise<ContainerImage> {
    return (await this.#find()).image;
  }

  async #find(): Promise<PodContainer> {
    if (this.#pod === undefined) {
      const cluster = await findCluster(this.#target.context, this.#env, this.#clock);
      this.#pod = await findPod(new KubernetesApi(cluster), this.#target);
    }
    return this.#pod;
  }
}
