import { hostname } from 'node:os';
import type { Readable } from 'node:stream';
import { z } from 'zod';

import { abortError, errnoOf, RespaldoError, throwIfAborted } from '../../errors.ts';
import { CARRIED, type VolumeCarrier } from '../container-engine.ts';
import type { Runtime } from '../runtime.ts';
import type { Engine, Refusal } from './engine.ts';
import { RunningCarrier } from './running-carrier.ts';

const created = z.object({ Id: z.string() });
const images = z.array(z.object({ Id: z.string() }));
const carriers = z.array(z.object({ Id: z.string(), Labels: z.record(z.string(), z.string()).nullish() }));

/** Says of a container that it is one of ours, and of which process: its host and id. */
const LABEL = 'respaldo.carrier';

/**
 * A container that is never started, with the volume in it: engines read and write the files of such a one too, so that
 * nothing of its image is needed, not even a shell.
 */
class Carrier implements VolumeCarrier {
  readonly #engine: Engine;
  readonly #id: string;
  readonly #volume: string;

  constructor(engine: Engine, id: string, volume: string) {
    this.#engine = engine;
    this.#id = id;
    this.#volume = volume;
  }

  async *read(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const answer = await this.#engine.download(this.#archive(`/${path}`));
    if ('refusal' in answer) throw this.#refused('read', answer.refusal);
    yield* piecesOf(answer.value, this.#volume, signal);
  }

  async write(folder: string, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const answer = await this.#engine.upload(this.#archive(folder), archive, signal);
    if ('refusal' in answer) throw this.#refused('write', answer.refusal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Where that fails, the next carrier removes it, once this process has ended.
    await this.#engine.delete(`/containers/${this.#id}?force=true`).catch(() => undefined);
  }

  #archive(path: string): string {
    return `/containers/${this.#id}/archive?path=${encodeURIComponent(path)}`;
  }

  #refused(what: string, { message }: Refusal): RespaldoError {
    return new RespaldoError('source-refused', `the engine does not ${what} the volume ${this.#volume}: ${message}`);
  }
}

/** What a carrier that has to run does until it is removed. */
const IDLE = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done'];

/**
 * @param runtimeOf runs programs in a container, by its id.
 * @throws RespaldoError `source-missing` where there is no such image, or none at all; `tool-missing` where a program of
 * the image is needed, and it has none.
 */
export async function carryVolume(
  engine: Engine,
  volume: string,
  access: 'read' | 'write',
  image: string | undefined,
  runtimeOf: (id: string) => Runtime,
): Promise<VolumeCarrier> {
  await removeAbandoned(engine);
  const chosen = image ?? (await anyImage(engine));
  const answer = await engine.post(
    '/containers/create',
    {
      Image: chosen,
      ...(engine.isPodman ? { Entrypoint: IDLE, Cmd: [], User: '0:0' } : { Cmd: ['true'] }),
      Labels: { [LABEL]: `${hostname()} ${process.pid}` },
      NetworkDisabled: true,
      HostConfig: { Binds: [`${volume}:/${CARRIED}:${access === 'read' ? 'ro,' : ''}nocopy`], NetworkMode: 'none' },
    },
    created,
  );
  if ('refusal' in answer) throw notMounted(volume, chosen, answer.refusal);
  const { Id: id } = answer.value;
  if (!engine.isPodman) return new Carrier(engine, id, volume);
  const remove = () => engine.delete(`/containers/${id}?force=true`);
  const started = await engine.post(`/containers/${id}/start`, undefined, z.unknown());
  if (!('refusal' in started)) return RunningCarrier.open(runtimeOf(id), volume, chosen, remove);
  await remove();
  throw notMounted(volume, chosen, started.refusal);
}

function notMounted(volume: string, image: string, { status, message }: Refusal): RespaldoError {
  return new RespaldoError(
    status === 404 ? 'source-missing' : 'source-refused',
    `the volume ${volume} cannot be mounted into a container of the image ${image}: ${message}`,
    { hint: 'Name an image that the engine has: docker-volume:NAME?image=IMAGE' },
  );
}

async function anyImage(engine: Engine): Promise<string> {
  const answer = await engine.get('/images/json', images);
  const first = 'value' in answer ? answer.value[0] : undefined;
  if (first !== undefined) return first.Id;
  throw new RespaldoError('source-missing', 'the engine has no image that a volume could be mounted into', {
    hint: 'Pull any, such as `docker pull busybox`. Nothing of it is run.',
  });
}

/** Those of a Respaldo of this host that was killed. They would keep their volumes from being removed. */
async function removeAbandoned(engine: Engine): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: [LABEL] }));
  const answer = await engine.get(`/containers/json?all=true&filters=${filters}`, carriers);
  if ('refusal' in answer) return;
  for (const { Id, Labels } of answer.value) {
    const [host, pid] = (Labels?.[LABEL] ?? '').split(' ');
    if (host === hostname() && !isAlive(Number(pid))) await engine.delete(`/containers/${Id}?force=true`);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errnoOf(error) !== 'ESRCH';
  }
}

async function* piecesOf(response: Readable, volume: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stop = (): void => void response.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    throwIfAborted(signal);
    yield* response as AsyncIterable<Uint8Array>;
    throwIfAborted(signal);
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    const reason = errnoOf(error) ?? (error instanceof Error ? error.message : String(error));
    throw new RespaldoError('source-lost', `the volume ${volume} was not read to its end: ${reason}`, { cause: error });
  } finally {
    signal.removeEventListener('abort', stop);
    response.destroy();
  }
}
