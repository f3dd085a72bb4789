import { z } from 'zod';

import type { DockerTarget } from '../../domain/runtime-target.ts';
import { RespaldoError } from '../../errors.ts';
import { DockerContainer } from './container.ts';
import type { Engine, Refusal } from './engine.ts';

const inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  State: z.object({ Running: z.boolean(), Paused: z.boolean().default(false), Status: z.string().optional() }),
});
const listed = z.array(
  z.object({ Id: z.string(), Names: z.array(z.string()).nullish(), State: z.string().optional() }),
);
type Listed = z.infer<typeof listed>[number];

/**
 * The container that is meant: by name or id, or the only running one that has the labels.
 * @throws RespaldoError `usage`, `source-missing`, `source-refused`, and the engine's.
 */
export async function findContainer(engine: Engine, target: DockerTarget): Promise<DockerContainer> {
  const { container, labels } = target;
  if (container !== undefined) return named(engine, container);
  if (labels.length > 0) return labelled(engine, labels);
  throw new RespaldoError('usage', 'the runtime docker does not say which container is meant', {
    hint: 'Give `container: name`, or `labels`.',
  });
}

async function named(engine: Engine, name: string): Promise<DockerContainer> {
  const answer = await engine.get(`/containers/${encodeURIComponent(name)}/json`, inspected);
  if ('refusal' in answer) throw await notFound(engine, name, answer.refusal);
  const { Id, Name, State } = answer.value;
  const container = new DockerContainer(engine, Id, nameOf(Name));
  if (State.Running && !State.Paused) return container;
  const status = State.Paused ? 'paused' : (State.Status ?? 'stopped');
  throw new RespaldoError('source-refused', `${container.place} is not running: it is ${status}`, {
    hint: `Let it run: docker ${State.Paused ? 'unpause' : 'start'} ${nameOf(Name)}`,
  });
}

async function labelled(engine: Engine, labels: readonly string[]): Promise<DockerContainer> {
  const said = labels.join(', ');
  const [container, ...others] = await list(engine, { label: labels, status: ['running'] });
  if (container !== undefined && others.length === 0) {
    return new DockerContainer(engine, container.Id, shownName(container));
  }
  if (container !== undefined) {
    throw new RespaldoError('usage', `several containers have the labels ${said}: ${names([container, ...others])}`, {
      hint: 'Name one of them, or add a label that only one has.',
    });
  }
  const stopped = await list(engine, { label: labels });
  const first = stopped[0];
  if (first !== undefined) {
    throw new RespaldoError('source-refused', `no container with the labels ${said} is running: ${names(stopped)}`, {
      hint: `Let one run: docker start ${shownName(first)}`,
    });
  }
  throw new RespaldoError('source-missing', `there is no container with the labels ${said}`, {
    hint: await running(engine),
  });
}

async function notFound(engine: Engine, name: string, { status, message }: Refusal): Promise<RespaldoError> {
  if (status !== 404) return new RespaldoError('source-refused', `the engine at ${engine.name}: ${message}`);
  return new RespaldoError('source-missing', `there is no container "${name}"`, { hint: await running(engine) });
}

async function running(engine: Engine): Promise<string> {
  const all = await list(engine, { status: ['running'] });
  return all.length === 0 ? `No container is running at ${engine.name}.` : `These are running: ${names(all)}.`;
}

/** With a filter by status the engine looks at all of them; without, `all` asks it to. */
async function list(engine: Engine, filters: Record<string, readonly string[]>): Promise<readonly Listed[]> {
  const answer = await engine.get(
    `/containers/json?all=true&filters=${encodeURIComponent(JSON.stringify(filters))}`,
    listed,
  );
  if ('value' in answer) return answer.value;
  throw new RespaldoError('source-refused', `the engine at ${engine.name}: ${answer.refusal.message}`);
}

function names(containers: readonly Listed[]): string {
  return containers.map(shownName).toSorted().join(', ');
}

function shownName({ Id, Names }: Listed): string {
  const [name] = Names ?? [];
  return name === undefined ? Id.slice(0, 12) : nameOf(name);
}

/** The engine starts names with a slash. */
function nameOf(name: string): string {
  return name.replace(/^\//, '');
}
