import type { ContainerImage } from '../../domain/container-image.ts';
import type { DockerTarget } from '../../domain/runtime-target.ts';
import type { Patience } from '../container/contained-program.ts';
import { ContainedProgram } from '../container/contained-program.ts';
import { outputOf } from '../program.ts';
import type { Command, Runtime } from '../runtime.ts';
import type { Environment } from './address.ts';
import { engineAddress } from './address.ts';
import type { DockerContainer } from './container.ts';
import { Engine } from './engine.ts';
import { findContainer } from './find.ts';

/** Milliseconds. */
const PATIENCE: Patience = { grace: 5000, pulse: 1000 };

/** Runs programs in a container of Docker or Podman, through the engine's API. */
export class DockerRuntime implements Runtime {
  readonly kind = 'docker';
  readonly #target: DockerTarget;
  readonly #env: Environment;
  readonly #patience: Patience;
  /** Found when it is first needed; from then on only that one is meant. */
  #container: DockerContainer | undefined;

  /** @param env where the engine's address is looked for. */
  constructor(target: DockerTarget, env: Environment, patience: Partial<Patience> = {}) {
    this.#target = target;
    this.#env = env;
    this.#patience = { ...PATIENCE, ...patience };
  }

  get place(): string {
    const { container, labels } = this.#target;
    return this.#container?.place ?? `the container ${container ?? `with the labels ${labels.join(', ')}`}`;
  }

  run(command: Command, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const start = async () => ContainedProgram.start(await this.#find(), command, this.#patience, signal);
    return outputOf(start, command, signal);
  }

  async image(): Promise<ContainerImage> {
    return (await this.#find()).image();
  }

  async #find(): Promise<DockerContainer> {
    const { context } = this.#target;
    return (this.#container ??= await findContainer(new Engine(await engineAddress(context, this.#env)), this.#target));
  }
}
