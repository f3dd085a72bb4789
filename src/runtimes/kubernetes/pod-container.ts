import { z } from 'zod';

import type { ContainerImage } from '../../domain/container-image.ts';
import { RespaldoError } from '../../errors.ts';
import type { Container, Exec, ExecRequest } from '../container/exec.ts';
import type { KubernetesApi } from './api.ts';
import { PodExec, PROTOCOLS } from './pod-exec.ts';

/** A container of a pod, and which one of all the pods that ever had this name. */
export interface PodAddress {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
}

const identity = z.object({ metadata: z.object({ uid: z.string() }) });

/** A container of a pod that was found: a pod that takes its name later is not meant. */
export class PodContainer implements Container {
  readonly passesEnvironment = false;
  readonly tellsExit = false;
  readonly provesOutput = true;
  readonly place: string;
  readonly image: ContainerImage;
  readonly #api: KubernetesApi;
  readonly #address: PodAddress;

  constructor(api: KubernetesApi, address: PodAddress, image: ContainerImage) {
    this.image = image;
    this.#api = api;
    this.#address = address;
    this.place = `the pod ${address.namespace}/${address.pod}`;
  }

  /** Nothing is written to its standard input before it is certain that this is the pod that was found. */
  async exec({ argv, stdin, user }: ExecRequest): Promise<Exec> {
    if (user !== undefined) {
      throw new RespaldoError('usage', 'a pod runs every program as its own user: another one cannot be asked for');
    }
    const { namespace, container } = this.#address;
    const query = new URLSearchParams({
      container,
      stdout: 'true',
      stderr: 'true',
      stdin: String(stdin),
      tty: 'false',
    });
    for (const word of argv) query.append('command', word);
    const socket = await this.#api.connect(
      `${this.#path}/exec?${query.toString()}`,
      PROTOCOLS,
      `exec in pods of ${namespace}`,
    );
    const exec = new PodExec(socket, stdin, this.place, () => this.#gone());
    try {
      const gone = await this.#gone();
      if (gone !== undefined) throw gone;
      return exec;
    } catch (error) {
      exec.close();
      throw error;
    }
  }

  /**
   * Why the pod is not the one that was found. An id is never given twice: a pod that has it now, and had it when it was
   * found, had it all the time.
   */
  async #gone(): Promise<RespaldoError | undefined> {
    const found = await this.#api.get(this.#path, identity, `get pods in ${this.#address.namespace}`);
    if (found?.metadata.uid === this.#address.uid) return undefined;
    const why = found === undefined ? 'was deleted' : 'was replaced by another one of its name';
    return new RespaldoError('source-lost', `${this.place} ${why}`, {
      hint: 'Try again: the pod that runs then will be looked for.',
    });
  }

  get #path(): string {
    const { namespace, pod } = this.#address;
    return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}`;
  }
}
