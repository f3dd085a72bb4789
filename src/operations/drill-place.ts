import { referencesOf, type ContainerImage } from '../domain/container-image.ts';
import type { Report } from '../domain/entry.ts';
import type { ReadableSnapshot } from '../domain/snapshot.ts';
import { isError, RespaldoError, throwIfAborted } from '../errors.ts';
import type { Runtime, Sandbox, SandboxRequest } from '../runtimes/runtime.ts';
import type { Driller, ProgramOrigin } from '../sources/source.ts';

export interface DrillPlacePorts {
  /** Of this host. */
  readonly runtime: Runtime;
  readonly openSandbox: (request: SandboxRequest) => Promise<Sandbox>;
}

/**
 * The container that a drill runs in; undefined: this host. Where nobody names an image, this host's own programs come
 * first, then a container of the image that the snapshot's own container was made of, where extensions and collations are
 * the same, and last the programs that come with Respaldo.
 * @param wanted the image that somebody names.
 * @throws RespaldoError `tool-missing` where none is to be had, and as opening a sandbox does.
 */
export async function openDrillPlace(
  driller: Driller,
  snapshot: ReadableSnapshot,
  wanted: string | undefined,
  sandbox: Omit<SandboxRequest, 'image'>,
  ports: DrillPlacePorts,
  report: Report,
  signal: AbortSignal,
): Promise<Sandbox | undefined> {
  if (wanted !== undefined) return ports.openSandbox({ ...sandbox, image: wanted });
  const here = await programsHere(driller, snapshot, { runtime: ports.runtime, signal });
  if (here === 'own') return undefined;
  const image = await driller.image?.(snapshot);
  const opened = image && (await openAny(referencesOf(image), driller, snapshot, { sandbox, ports, here, signal }));
  if (image !== undefined && opened !== undefined) {
    report(used(image, opened.reference));
    return opened.sandbox;
  }
  if (here === 'embedded') return undefined;
  if (image === undefined) throw here;
  throw new RespaldoError('tool-missing', here.message, {
    hint: `${here.hint ?? ''}\nThe snapshot was taken in a container of ${image.name}, which is used by itself where an engine of this machine has it: docker pull ${image.digest ?? image.name}`,
    cause: here,
  });
}

/** The error says that there are none. */
async function programsHere(
  driller: Driller,
  snapshot: ReadableSnapshot,
  io: { readonly runtime: Runtime; readonly signal: AbortSignal },
): Promise<ProgramOrigin | RespaldoError> {
  try {
    return (await driller.requirePrograms?.(snapshot, io)) ?? 'own';
  } catch (error) {
    if (isError(error, 'tool-missing')) return error;
    throw error;
  }
}

interface Circumstances {
  readonly sandbox: Omit<SandboxRequest, 'image'>;
  readonly ports: DrillPlacePorts;
  readonly here: ProgramOrigin | RespaldoError;
  readonly signal: AbortSignal;
}

/** A container of the first of these images that there is and that holds the programs. */
async function openAny(
  references: readonly string[],
  driller: Driller,
  snapshot: ReadableSnapshot,
  { sandbox, ports, here, signal }: Circumstances,
): Promise<{ readonly sandbox: Sandbox; readonly reference: string } | undefined> {
  for (const reference of new Set(references)) {
    try {
      await using stack = new AsyncDisposableStack();
      const opened = stack.use(await ports.openSandbox({ ...sandbox, image: reference }));
      // A database may have been dumped from beside its server, by clients alone.
      await driller.requirePrograms?.(snapshot, { runtime: opened.runtime, signal });
      stack.move();
      return { sandbox: opened, reference };
    } catch (error) {
      throwIfAborted(signal);
      const isMissing = isError(error, 'source-missing') || isError(error, 'tool-missing');
      // An engine that may not be used is no reason to do without what comes with Respaldo.
      if (!isMissing && !(here === 'embedded' && error instanceof RespaldoError)) throw error;
    }
  }
  return undefined;
}

function used(image: ContainerImage, reference: string) {
  const isExact = reference !== image.name || (image.id === undefined && image.digest === undefined);
  const which = isExact ? 'of the image' : 'of what now is the image';
  return {
    severity: 'note',
    code: 'drill-in-image',
    subject: reference,
    message: `this host has no server programs of its own that fit: the drill runs in a container ${which} ${image.name}, as the snapshot was taken`,
  } as const;
}
