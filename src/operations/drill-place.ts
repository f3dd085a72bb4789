import { referencesOf, type ContainerImage } from '../domain/container-image.ts';
import type { Report } from '../domain/entry.ts';
import type { ReadableSnapshot } from '../domain/snapshot.ts';
import { isError, RespaldoError } from '../errors.ts';
import type { Runtime, Sandbox, SandboxRequest } from '../runtimes/runtime.ts';
import type { Driller } from '../sources/source.ts';

export interface DrillPlacePorts {
  /** Of this host. */
  readonly runtime: Runtime;
  readonly openSandbox: (request: SandboxRequest) => Promise<Sandbox>;
}

/**
 * The container that a drill runs in; undefined: this host. Where nobody names an image, and this host has no programs
 * that fit, it is made of the one that the snapshot's own container was made of.
 * @param wanted the image that somebody names.
 * @throws RespaldoError `tool-missing` where neither is to be had, and as opening a sandbox does.
 */
export async function openDrillPlace(
  driller: Driller,
  snapshot: ReadableSnapshot,
  wanted: string | undefined,
  sandbox: Omit<SandboxRequest, 'image'>,
  { runtime, openSandbox }: DrillPlacePorts,
  report: Report,
  signal: AbortSignal,
): Promise<Sandbox | undefined> {
  if (wanted !== undefined) return openSandbox({ ...sandbox, image: wanted });
  try {
    await driller.requirePrograms?.(snapshot, { runtime, signal });
    return undefined;
  } catch (error) {
    if (!isError(error, 'tool-missing')) throw error;
    const image = await driller.image?.(snapshot);
    if (image === undefined) throw error;
    for (const reference of new Set(referencesOf(image))) {
      const opened = await ifThere(openSandbox({ ...sandbox, image: reference }));
      if (opened === undefined) continue;
      report(used(image, reference));
      return opened;
    }
    throw new RespaldoError('tool-missing', error.message, {
      hint: `${error.hint ?? ''}\nThe snapshot was taken in a container of ${image.name}, which is used by itself where an engine of this machine has it: docker pull ${image.digest ?? image.name}`,
      cause: error,
    });
  }
}

/** Undefined where there is no engine, or it has no such image. */
async function ifThere(sandbox: Promise<Sandbox>): Promise<Sandbox | undefined> {
  try {
    return await sandbox;
  } catch (error) {
    if (isError(error, 'source-missing')) return undefined;
    throw error;
  }
}

function used(image: ContainerImage, reference: string) {
  const isExact = reference !== image.name || (image.id === undefined && image.digest === undefined);
  const which = isExact ? 'of the image' : 'of what now is the image';
  return {
    severity: 'note',
    code: 'drill-in-image',
    subject: reference,
    message: `this host has no server programs that fit: the drill runs in a container ${which} ${image.name}, as the snapshot was taken`,
  } as const;
}
