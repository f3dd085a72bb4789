/** Archives of a snapshot that was taken before: the source is not read, and need not be there any more. */
import type { ArchivedFile, ArchivePlace } from '../archive/archive.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { isIncomplete } from '../domain/snapshot.ts';
import { RespaldoError } from '../errors.ts';
import type { Repository } from '../repository/repository.ts';
import type { Source } from '../sources/source.ts';
import { backUpToArchives } from './archive-backup.ts';
import type { ArchiveOutcome } from './archive-tally.ts';
import type { ArchiveBackupPorts, ArchiveBackupRequest } from './archive-writing.ts';
import { portableTrees } from './portable-tree.ts';

export interface ArchiveCreateRequest extends Pick<ArchiveBackupRequest, 'plan' | 'places' | 'run' | 'program'> {
  readonly snapshot: Snapshot;
  /** What the plan protects. */
  readonly sources: readonly Source[];
  /** Of several databases or folders only this one. */
  readonly database?: string;
  /** What each place holds. */
  readonly held: ReadonlyMap<ArchivePlace, readonly ArchivedFile[]>;
}

/**
 * Each place gets what it does not hold of the snapshot yet; the files tell the time of the snapshot.
 * @throws RespaldoError `usage` for a snapshot of something else than the plan protects, or that has no portable copies;
 * `path-missing` for a database that it does not hold
 */
export async function archiveSnapshot(
  request: ArchiveCreateRequest,
  ports: ArchiveBackupPorts & { readonly repository: Repository },
  signal: AbortSignal,
): Promise<readonly ArchiveOutcome[]> {
  const { plan, places, run, program, snapshot, database, held } = request;
  const stored = ports.repository.readable(snapshot, signal);
  const source = withPortableOf(sourceOf(request), request, ports, signal);
  const names = new Set<string>();
  const outcomes = await backUpToArchives(
    {
      ...{ plan, places, run, program },
      sources: [source],
      captured: new Map([[source, { snapshot: stored, isIncomplete: isIncomplete(snapshot) }]]),
      hostname: snapshot.hostname,
      time: new Date(snapshot.time),
      isSnapshotAll: true,
      isWanted: (place, name) => {
        names.add(name);
        if (database !== undefined && name !== database) return false;
        return held.get(place)?.some((file) => isOf(file, snapshot, name)) !== true;
      },
    },
    ports,
    signal,
  );
  if (database === undefined || names.has(database)) return outcomes;
  throw new RespaldoError('path-missing', `there is no ${database} in snapshot ${snapshot.id.slice(0, 8)}`, {
    hint: `It holds ${[...names].join(', ')}.`,
  });
}

function isOf({ state, manifest }: ArchivedFile, { id }: Snapshot, name: string): boolean {
  return state === 'whole' && manifest.database === name && manifest.facts['snapshot'] === id;
}

function sourceOf({ plan, snapshot, sources }: ArchiveCreateRequest): Source {
  const paths = new Set(snapshot.paths);
  const found = sources.find(
    (source) => source.paths.length === paths.size && source.paths.every((one) => paths.has(one)),
  );
  if (found !== undefined) return found;
  throw new RespaldoError(
    'usage',
    `snapshot ${snapshot.id.slice(0, 8)} is of ${snapshot.paths.join(', ')}, and the plan ${plan} protects ${sources.flatMap((source) => source.paths).join(', ')}`,
    { hint: 'Name the plan that it belongs to: --plan NAME.' },
  );
}

/** Whether or not runs of the plan read it again: there is nothing else than the snapshot now. */
function withPortableOf(
  source: Source,
  { snapshot }: ArchiveCreateRequest,
  { repository, onFinding }: Parameters<typeof archiveSnapshot>[1],
  signal: AbortSignal,
): Source {
  if (source.portableOf !== undefined) return source;
  if (source.portable === undefined || source.typed === true)
    throw new RespaldoError('usage', `no archive can be made of a snapshot of ${source.paths.join(', ')}`, {
      hint: 'Archives hold folders, and databases as dumps (?method=logical).',
    });
  const tell = { ...(onFinding && { onFinding }) };
  return { ...source, portableOf: () => portableTrees(snapshot, source.paths, { repository, ...tell }, signal) };
}
