import { z } from 'zod';

import type { DetectionScope } from '../../domain/detection.ts';
import type { Workload } from '../../domain/workload.ts';
import { withoutSecrets } from '../../domain/workload.ts';
import { RespaldoError, throwIfAborted } from '../../errors.ts';
import type { WorkloadList } from '../runtime.ts';
import type { Environment } from './address.ts';
import { engineAddress } from './address.ts';
import { Engine } from './engine.ts';

const listed = z.array(
  z.object({
    Id: z.string(),
    Names: z.array(z.string()).nullish(),
    Ports: z.array(z.object({ PublicPort: z.number().optional(), Type: z.string().optional() })).nullish(),
  }),
);
type Listed = z.infer<typeof listed>[number];

const inspected = z.object({
  State: z.object({ Running: z.boolean(), Paused: z.boolean().default(false), Status: z.string().optional() }),
  Config: z.object({
    Image: z.string().default(''),
    Env: z.array(z.string()).nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
    ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
  }),
});
type Inspected = z.infer<typeof inspected>;

/** The containers of an engine such as Docker's. */
export class ContainerList implements WorkloadList {
  readonly kind = 'docker';
  readonly #scope: DetectionScope;
  readonly #env: Environment;

  /** @param env where the engine's address is looked for. */
  constructor(scope: DetectionScope, env: Environment) {
    this.#scope = scope;
    this.#env = env;
  }

  async list(signal: AbortSignal): Promise<readonly Workload[]> {
    const { labels, container, context } = this.#scope;
    const engine = new Engine(await engineAddress(context, this.#env));
    const filters = encodeURIComponent(JSON.stringify(labels.length > 0 ? { label: labels } : {}));
    const answer = await engine.get(`/containers/json?all=true&filters=${filters}`, listed);
    if ('refusal' in answer)
      throw new RespaldoError('source-refused', `the engine at ${engine.name}: ${answer.refusal.message}`);
    const workloads: Workload[] = [];
    for (const one of answer.value) {
      throwIfAborted(signal);
      if (container !== undefined && !one.Id.startsWith(container) && nameOf(one) !== container) continue;
      // What is removed meanwhile is not there: that is no failure.
      const details = await engine.get(`/containers/${one.Id}/json`, inspected);
      if ('value' in details) workloads.push(workloadOf(one, details.value, context));
    }
    return workloads;
  }
}

function workloadOf(one: Listed, { Config, State }: Inspected, context: string | undefined): Workload {
  const name = nameOf(one);
  const published = (one.Ports ?? []).flatMap(({ PublicPort, Type }) => (Type === 'udp' ? [] : (PublicPort ?? [])));
  const obstacle = State.Paused ? 'paused' : State.Running ? undefined : (State.Status ?? 'stopped');
  return {
    target: { kind: 'docker', container: name, labels: [], ...(context !== undefined && { context }) },
    place: `the container ${name}`,
    name,
    labels: Config.Labels ?? {},
    containers: [
      {
        name,
        image: Config.Image,
        variables: withoutSecrets(Object.fromEntries((Config.Env ?? []).map(assignment))),
        ports: Object.keys(Config.ExposedPorts ?? {}).map((port) => Number.parseInt(port, 10)),
        hostPorts: [...new Set(published)],
      },
    ],
    ...(obstacle !== undefined && { obstacle }),
  };
}

function assignment(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** The engine starts names with a slash. */
function nameOf({ Id, Names }: Listed): string {
  return Names?.[0]?.replace(/^\//, '') ?? Id.slice(0, 12);
}
