import { z } from 'zod';

import type { ContainerImage } from '../../domain/container-image.ts';
import { RespaldoError } from '../../errors.ts';
import type { Container, Exec, ExecRequest } from '../container/exec.ts';
import { shellMissing } from '../container/refusal.ts';
import { DockerExec } from './docker-exec.ts';
import type { Engine, Refusal } from './engine.ts';

const created = z.object({ Id: z.string() });
const inspected = z.object({ Image: z.string(), Config: z.object({ Image: z.string() }) });
const imageDetails = z.object({ RepoDigests: z.array(z.string()).nullish() });

/** A container that was found, by its id: another one that takes its name later is not meant. */
export class DockerContainer implements Container {
  readonly passesEnvironment: boolean;
  readonly tellsExit = true;
  readonly provesOutput: boolean;
  readonly place: string;
  readonly #engine: Engine;
  readonly #id: string;

  constructor(engine: Engine, id: string, name: string) {
    this.#engine = engine;
    this.#id = id;
    // Podman outlives itself: a new one that takes over tells how a program ended whose output the old one did not pass on.
    this.provesOutput = !engine.isPodman;
    // What the launcher is to do, it is told together with the variables.
    this.passesEnvironment = this.provesOutput;
    this.place = `the container ${name}`;
  }

  async exec({ argv, stdin, env = {}, user }: ExecRequest): Promise<Exec> {
    const answer = await this.#engine.post(
      `/containers/${this.#id}/exec`,
      {
        Cmd: argv,
        AttachStdin: stdin,
        AttachStdout: true,
        AttachStderr: true,
        Tty: false,
        Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
        ...(user && { User: `${user.uid}:${user.gid}` }),
      },
      created,
    );
    if ('refusal' in answer) throw this.#refused(answer.refusal);
    const { Id: id } = answer.value;
    const connection = await this.#engine.hijack(`/exec/${id}/start`, { Detach: false, Tty: false });
    if ('refusal' in connection) throw this.#refused(connection.refusal);
    return new DockerExec(this.#engine, id, this.place, connection.value, stdin);
  }

  async image(): Promise<ContainerImage> {
    const answer = await this.#engine.get(`/containers/${this.#id}/json`, inspected);
    if ('refusal' in answer) throw this.#refused(answer.refusal);
    const { Image: id, Config } = answer.value;
    const details = await this.#engine.get(`/images/${encodeURIComponent(id)}/json`, imageDetails);
    // An image may be removed while its container runs.
    const [digest] = 'value' in details ? (details.value.RepoDigests ?? []) : [];
    return { name: Config.Image, id, ...(digest !== undefined && { digest }) };
  }

  #refused({ status, message }: Refusal): RespaldoError {
    if (status === 404) return new RespaldoError('source-lost', `${this.place} is not there any more`);
    if (/executable file not found|no such file or directory/.test(message)) return shellMissing(this.place);
    return new RespaldoError('source-refused', `${this.place} runs no program: ${message}`, {
      ...(status === 409 && { hint: 'Is it running? `docker ps` shows it, `docker start` starts it.' }),
    });
  }
}
