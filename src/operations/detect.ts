import type { DetectedServer, Detection, DetectionScope, Unseen } from '../domain/detection.ts';
import { toRespaldoError, throwIfAborted } from '../errors.ts';
import type { WorkloadList } from '../runtimes/runtime.ts';
import type { ServerFinder } from '../sources/source.ts';

export interface DetectPorts {
  /** Of the engines and clusters that the scope means. */
  readonly lists: readonly WorkloadList[];
  readonly finders: readonly ServerFinder[];
}

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
        return await servers(signal);
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
