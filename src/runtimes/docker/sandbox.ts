import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

import { RespaldoError } from '../../errors.ts';
import type { Runtime, Sandbox, SandboxRequest } from '../runtime.ts';
import { engineAddress, type Environment } from './address.ts';
import { DockerRuntime } from './docker.ts';
import { Engine } from './engine.ts';

const created = z.object({ Id: z.string() });

const LABEL = 'respaldo.sandbox';

/** All that it does by itself: to end, when the file is gone, even if nobody is left who would end it. */
const WATCH = 'while [ -e "$1" ]; do sleep 1; done';

class DockerSandbox implements Sandbox {
  readonly runtime: Runtime;
  readonly #engine: Engine;
  readonly #id: string;

  constructor(engine: Engine, id: string, env: Environment) {
    this.#engine = engine;
    this.#id = id;
    this.runtime = new DockerRuntime({ kind: 'docker', container: id, labels: [] }, env);
  }

  /** With whatever runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.delete(`/containers/${this.#id}?force=true&v=true`);
  }
}

/** See {@link Sandbox}. @throws RespaldoError `source-missing` for an image that the engine lacks, `usage`. */
export async function openDockerSandbox(request: SandboxRequest, env: Environment): Promise<Sandbox> {
  const { image, folder, lifeline, user } = request;
  const address = await engineAddress(undefined, env);
  if (!('socketPath' in address))
    throw new RespaldoError('usage', `the engine at ${address.name} is on another machine: it does not see ${folder}`, {
      hint: 'Use an engine of this machine, or the programs of this host: leave the image out.',
    });
  const engine = new Engine(address);
  const users = path.join(folder, 'passwd');
  await writeFile(users, usersOf(user), { mode: 0o644 });
  const answer = await engine.post(
    '/containers/create',
    {
      Image: image,
      Entrypoint: ['sh', '-c', WATCH, 'sh', lifeline],
      Cmd: [],
      User: `${String(user.uid)}:${String(user.gid)}`,
      Labels: { [LABEL]: folder },
      NetworkDisabled: true,
      HostConfig: {
        NetworkMode: 'none',
        AutoRemove: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        Mounts: [
          { Type: 'bind', Source: folder, Target: folder },
          { Type: 'bind', Source: users, Target: '/etc/passwd', ReadOnly: true },
        ],
      },
    },
    created,
  );
  if ('refusal' in answer) throw refused(image, answer.refusal.status, answer.refusal.message);
  const sandbox = new DockerSandbox(engine, answer.value.Id, env);
  const started = await engine.post(`/containers/${answer.value.Id}/start`, undefined, z.unknown());
  if (!('refusal' in started)) return sandbox;
  await sandbox[Symbol.asyncDispose]();
  throw refused(image, started.refusal.status, started.refusal.message);
}

/** Some programs do not run as a user without a name, whom the image need not know. */
function usersOf({ uid, gid }: SandboxRequest['user']): string {
  return `root:x:0:0:root:/:/bin/sh\nsandbox:x:${String(uid)}:${String(gid)}:sandbox:/:/bin/sh\n`;
}

function refused(image: string, status: number, message: string): RespaldoError {
  if (status === 404)
    return new RespaldoError('source-missing', `the engine has no image ${image}`, {
      hint: `Fetch it: docker pull ${image}`,
    });
  return new RespaldoError('source-refused', `the engine runs no container of the image ${image}: ${message}`);
}
