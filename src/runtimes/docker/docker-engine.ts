import { z } from 'zod';

import { RespaldoError } from '../../errors.ts';
import type { ContainerEngine, EngineContainer, EngineVolume } from '../container-engine.ts';
import { engineAddress, type Environment } from './address.ts';
import { carryVolume } from './carrier.ts';
import { DockerRuntime } from './docker.ts';
import { Engine, type Refusal } from './engine.ts';

const volumeAnswer = z.object({
  Name: z.string(),
  Driver: z.string(),
  Mountpoint: z.string(),
  Options: z.record(z.string(), z.string()).nullish(),
});
const inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  Image: z.string(),
  State: z.object({
    Running: z.boolean(),
    Paused: z.boolean().default(false),
    StartedAt: z.string(),
    FinishedAt: z.string(),
  }),
  Config: z.object({
    Labels: z.record(z.string(), z.string()).nullish(),
    StopTimeout: z.number().nullish(),
  }),
  HostConfig: z.object({ AutoRemove: z.boolean().default(false) }),
  Mounts: z.array(z.object({ Type: z.string().optional(), Name: z.string().optional() })).nullish(),
});
const listed = z.array(z.object({ Id: z.string() }));
const info = z.object({ SystemTime: z.iso.datetime({ offset: true }) });

/** What a container is given to end where it says nothing itself: seconds. */
const STOP_SECONDS = 10;
/** How much longer than that the engine may take: milliseconds. */
const STOP_MARGIN = 60_000;

/** Says where an engine is: what {@link engineAddress} looks at. */
const REACH = [
  'DOCKER_HOST',
  'CONTAINER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
  'DOCKER_TLS_VERIFY',
  'DOCKER_TLS',
  'DOCKER_CERT_PATH',
  'XDG_RUNTIME_DIR',
  'HOME',
];

/** Volumes and their users, by the API of Docker, which Podman speaks too. Nothing is connected before it is asked. */
export class DockerEngine implements ContainerEngine {
  readonly reach: Readonly<Record<string, string>>;
  #engine: Promise<Engine> | undefined;
  #isLocal = false;

  /** @param context which of Docker's contexts; absent: the one that Docker's own command line would use. */
  constructor(context: string | undefined, env: Environment) {
    const reach =
      context === undefined
        ? env
        : { ...env, DOCKER_CONTEXT: context, DOCKER_HOST: undefined, CONTAINER_HOST: undefined };
    this.reach = Object.fromEntries(
      REACH.flatMap((name) => (reach[name] === undefined ? [] : [[name, reach[name]] as const])),
    );
  }

  async now(): Promise<Date> {
    const answer = await (await this.#connected()).get('/info', info);
    return new Date(valueOf(answer, 'tell the time').SystemTime);
  }

  async isLocal(): Promise<boolean> {
    await this.#connected();
    return this.#isLocal;
  }

  async volume(name: string): Promise<EngineVolume | undefined> {
    const answer = await (await this.#connected()).get(`/volumes/${encodeURIComponent(name)}`, volumeAnswer);
    if ('refusal' in answer && answer.refusal.status === 404) return undefined;
    return toVolume(valueOf(answer, `look at the volume ${name}`));
  }

  async createVolume(name: string): Promise<EngineVolume> {
    const answer = await (await this.#connected()).post('/volumes/create', { Name: name }, volumeAnswer);
    return toVolume(valueOf(answer, `make the volume ${name}`));
  }

  async removeVolume(name: string): Promise<void> {
    valueOf(
      await (await this.#connected()).delete(`/volumes/${encodeURIComponent(name)}`),
      `remove the volume ${name}`,
    );
  }

  async usersOf(volume: string): Promise<readonly EngineContainer[]> {
    const engine = await this.#connected();
    const filters = encodeURIComponent(JSON.stringify({ volume: [volume] }));
    const answer = await engine.get(`/containers/json?all=true&filters=${filters}`, listed);
    const users: EngineContainer[] = [];
    for (const { Id } of valueOf(answer, `list who uses the volume ${volume}`)) {
      const found = await inspect(engine, Id);
      // The filter also finds those that mount something else at a path of that name.
      const mounts = found?.Mounts ?? [];
      if (found && mounts.some(({ Type = 'volume', Name }) => Type === 'volume' && Name === volume))
        users.push(toContainer(found));
    }
    return users;
  }

  async container(id: string): Promise<EngineContainer | undefined> {
    const found = await inspect(await this.#connected(), id);
    return found && toContainer(found);
  }

  async stop(id: string): Promise<void> {
    const engine = await this.#connected();
    const found = await inspect(engine, id);
    const patience = (found?.Config.StopTimeout ?? STOP_SECONDS) * 1000 + STOP_MARGIN;
    await order(engine, id, 'stop', patience, found?.Name);
  }

  async start(id: string): Promise<void> {
    const engine = await this.#connected();
    await order(engine, id, 'start', STOP_MARGIN, (await inspect(engine, id))?.Name);
  }

  async carry(volume: string, access: 'read' | 'write', image: string | undefined) {
    const users = image === undefined ? await this.usersOf(volume) : [];
    const runtimeOf = (id: string) => new DockerRuntime({ kind: 'docker', container: id, labels: [] }, this.reach);
    return carryVolume(await this.#connected(), volume, access, image ?? users[0]?.image, runtimeOf);
  }

  #connected(): Promise<Engine> {
    return (this.#engine ??= this.#connect());
  }

  async #connect(): Promise<Engine> {
    const address = await engineAddress(undefined, this.reach);
    this.#isLocal = 'socketPath' in address;
    return new Engine(address);
  }
}

async function inspect(engine: Engine, id: string): Promise<z.infer<typeof inspected> | undefined> {
  const answer = await engine.get(`/containers/${encodeURIComponent(id)}/json`, inspected);
  if ('refusal' in answer && answer.refusal.status === 404) return undefined;
  return valueOf(answer, `look at the container ${id}`);
}

/** The engine answers "not modified" where there is nothing to do. */
async function order(engine: Engine, id: string, what: 'stop' | 'start', patience: number, name = id): Promise<void> {
  const answer = await engine.post(`/containers/${encodeURIComponent(id)}/${what}`, undefined, z.unknown(), patience);
  if ('refusal' in answer && answer.refusal.status !== 304)
    throw refused(answer.refusal, `${what} the container ${nameOf(name)}`);
}

function toVolume({ Name, Driver, Mountpoint, Options }: z.infer<typeof volumeAnswer>): EngineVolume {
  const plain = Driver === 'local' && Object.keys(Options ?? {}).length === 0;
  return { name: Name, folder: Mountpoint, plain };
}

function toContainer({ Id, Name, Image, State, Config, HostConfig }: z.infer<typeof inspected>): EngineContainer {
  return {
    id: Id,
    name: nameOf(Name),
    image: Image,
    labels: Config.Labels ?? {},
    running: State.Running,
    paused: State.Paused,
    startedAt: State.StartedAt,
    finishedAt: State.FinishedAt,
    removedAtEnd: HostConfig.AutoRemove,
    stopSeconds: Config.StopTimeout ?? STOP_SECONDS,
  };
}

/** The engine starts names with a slash. */
function nameOf(name: string): string {
  return name.replace(/^\//, '');
}

function valueOf<T>(answer: { readonly value: T } | { readonly refusal: Refusal }, what: string): T {
  if ('value' in answer) return answer.value;
  throw refused(answer.refusal, what);
}

function refused({ status, message }: Refusal, what: string): RespaldoError {
  const code = status === 404 ? 'source-missing' : 'source-refused';
  return new RespaldoError(code, `the engine does not ${what}: ${message}`);
}
