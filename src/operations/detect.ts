import type { DetectedServer, Detection, DetectionScope, Unseen } from '../domain/detection.ts';
import { abortError, RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import type { WorkloadList } from '../runtimes/runtime.ts';
import type { ServerFinder } from '../sources/source.ts';

export interface DetectPorts {
  /** Of the engines and clusters that the scope means. */
  readonly lists: readonly WorkloadList[];
  readonly finders: readonly ServerFinder[];
  /** Milliseconds that a place may take which nobody has asked for by its name. Default: 15 seconds. */
  readonly patience?: number;
}

const PATIENCE_MS = 15_000;

/**
 * Looks for servers on this host, in containers and pods, and changes nothing. Where it cannot look is told, not thrown,
 * unless the scope names that place.
 * @throws RespaldoError what stopped the search where it was to be; `cancelled`
 */
export async function detect(scope: DetectionScope, ports: DetectPorts, signal: AbortSignal): Promise<Detection> {
  const places = [
    ...(scope.kind === undefined || scope.kind === 'host' ? [hostOf(ports)] : []),
    ...ports.lists.map((list) => ({ kind: list.kind, servers: () => serversIn(list, ports, signal) })),
  ];
  const looks = await Promise.all(
    places.map(async ({ kind, servers }): Promise<readonly DetectedServer[] | Unseen> => {
      try {
        const limit = scope.kind === kind ? undefined : (ports.patience ?? PATIENCE_MS);
        return await inTime(servers(signal), limit, signal);
      } catch (error) {
        throwIfAborted(signal);
        if (scope.kind === kind) throw error;
        const { message, hint } = toRespaldoError(error);
        return { kind, reason: message, ...(hint !== undefined && { hint }) };
      }
    }),
  );
  const servers = looks.flatMap((look) => ('kind' in look ? [] : look));
  // Engines list what is newest first: an order that changes would be in everybody's way.
  const sorted = withoutForwarded(servers).toSorted((a, b) => (a.place === b.place ? 0 : a.place < b.place ? -1 : 1));
  return { servers: sorted, unseen: looks.flatMap((look) => ('kind' in look ? [look] : [])) };
}

/** Nobody waits longer than that, and not after an abort: what asks the network ends by itself, and only looks. */
async function inTime<T>(work: Promise<T>, limit: number | undefined, signal: AbortSignal): Promise<T> {
  const late = limit === undefined ? undefined : AbortSignal.timeout(limit);
  const end = late === undefined ? signal : AbortSignal.any([signal, late]);
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const stop = (): void => {
    if (signal.aborted) reject(abortError(signal));
    else reject(new RespaldoError('source-lost', `it did not answer within ${String((limit ?? 0) / 1000)} seconds`));
  };
  if (end.aborted) stop();
  end.addEventListener('abort', stop);
  try {
    return await Promise.race([work, ended]);
  } finally {
    end.removeEventListener('abort', stop);
  }
}

function hostOf({ finders }: DetectPorts) {
  const servers = async (signal: AbortSignal): Promise<readonly DetectedServer[]> =>
    (await Promise.all(finders.map((finder) => finder.onHost(signal)))).flat();
  return { kind: 'host', servers } as const;
}

async function serversIn(
  list: WorkloadList,
  { finders }: DetectPorts,
  signal: AbortSignal,
): Promise<readonly DetectedServer[]> {
  const workloads = await list.list(signal);
  return workloads.flatMap((workload) => finders.flatMap((finder) => finder.recognise(workload) ?? []));
}

/** A port of this host that leads into a container is no server of this host. */
function withoutForwarded(servers: readonly DetectedServer[]): readonly DetectedServer[] {
  const contained = servers.filter(({ target }) => target.kind !== 'host');
  const forwarded = new Set(contained.flatMap(({ hostPorts }) => hostPorts));
  return servers.filter(
    ({ target, address, hostPorts }) =>
      target.kind !== 'host' || !address.includes('@localhost:') || !hostPorts.some((port) => forwarded.has(port)),
  );
}
