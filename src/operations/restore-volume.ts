import { chmod, chown, utimes } from 'node:fs/promises';
import type { Finding } from '../domain/finding.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { parseTimestamp } from '../domain/timestamp.ts';
import { isError, RespaldoError } from '../errors.ts';
import type { ListedNode, Repository, RestoreProgress } from '../repository/repository.ts';
import type { ContainerEngine } from '../runtimes/container-engine.ts';
import type { SourceKind, VolumeToFill } from '../sources/source.ts';
import { permissionBits } from './dump-node.ts';
import { dumpTar } from './dump-tar.ts';

export interface VolumeRestoreRequest {
  readonly snapshot: Snapshot;
  /** Of the volume. */
  readonly address: string;
  /** The folder of the snapshot that becomes the volume's content; absent: that of the volume that was backed up. */
  readonly path?: string;
}

export interface VolumeRestorePorts {
  readonly repository: Repository;
  readonly engine: ContainerEngine;
  readonly kinds: readonly SourceKind[];
  readonly onProgress?: (progress: RestoreProgress) => void;
  readonly onFinding?: (finding: Finding) => void;
}

/** What a restore would do: to be shown before anything is written. */
export interface VolumeRestorePlan {
  readonly snapshot: Snapshot;
  readonly volume: VolumeToFill;
  /** Of the snapshot. */
  readonly folder: ListedNode;
  readonly isNew: boolean;
  /** Bytes and entries of the content. */
  readonly bytes: number;
  readonly entries: number;
}

/** @throws RespaldoError `usage` for an address of no volume, `path-missing`, `target-refused`. */
export async function planVolumeRestore(
  { snapshot, address, path }: VolumeRestoreRequest,
  { repository, engine, kinds }: VolumeRestorePorts,
  signal: AbortSignal,
): Promise<VolumeRestorePlan> {
  const volume = volumeAt(address, engine, kinds);
  let folder: ListedNode | undefined;
  let bytes = 0;
  let entries = 0;
  const wanted = path ?? volume.content;
  try {
    for await (const node of repository.list(snapshot, { path: wanted }, signal)) {
      if (node.path === wanted) {
        folder = node;
        continue;
      }
      entries += 1;
      bytes += node.size;
    }
  } catch (error) {
    if (!isError(error, 'path-missing')) throw error;
  }
  if (folder?.type !== 'dir') throw noFolder(snapshot, wanted);
  return { snapshot, volume, folder, isNew: !(await volume.exists()), bytes, entries };
}

/** Carries the plan out: restored, or thrown; a volume that was made for it is gone then. */
export async function restoreVolume(
  { snapshot, volume, folder }: VolumeRestorePlan,
  { repository, onProgress, onFinding }: VolumeRestorePorts,
  signal: AbortSignal,
): Promise<void> {
  await volume.fill(async (into) => {
    const { path, uid, gid } = folder;
    const mode = permissionBits(folder.mode);
    const mtime = folder.mtime === undefined ? undefined : parseTimestamp(folder.mtime);
    if (typeof into !== 'string') {
      const onSkipped = (node: ListedNode): void => onFinding?.(leftOut(node));
      await into(dumpTar({ snapshot, path, base: path }, { repository, onSkipped }, signal), {
        mode,
        uid,
        gid,
        ...(mtime && { mtime }),
      });
      return;
    }
    const options = {
      include: [],
      exclude: [],
      path,
      ...(onProgress && { onProgress }),
      ...(onFinding && { onFinding }),
    };
    await repository.restore(snapshot, into, options, signal);
    await chown(into, uid, gid);
    await chmod(into, mode);
    if (mtime === undefined) return;
    const seconds = mtime.seconds + mtime.nanoseconds / 1e9;
    await utimes(into, seconds, seconds);
  }, signal);
}

export function isVolumeTarget(address: string, kinds: readonly SourceKind[]): boolean {
  return kinds.find((kind) => kind.accepts(address))?.volume !== undefined;
}

function volumeAt(address: string, engine: ContainerEngine, kinds: readonly SourceKind[]): VolumeToFill {
  const open = kinds.find((kind) => kind.accepts(address))?.volume;
  if (open !== undefined) return open(address, engine);
  throw new RespaldoError('usage', 'the address to restore to is not that of a volume', {
    hint: 'Name one: --to docker-volume:NAME',
  });
}

function noFolder({ id }: Snapshot, path: string): RespaldoError {
  return new RespaldoError('path-missing', `snapshot ${id.slice(0, 8)} has no folder ${path}`, {
    hint: 'Name the folder that becomes the volume’s content: latest:/srv/data. `respaldo ls` shows what there is.',
  });
}

function leftOut({ path, type }: ListedNode): Finding {
  return {
    severity: 'incomplete',
    code: 'entry-left-out',
    message: `${path} is a ${type}, which cannot be restored into a volume from here`,
    subject: path,
  };
}
