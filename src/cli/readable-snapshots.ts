import type { Snapshot, SnapshotFilter } from '../domain/snapshot.ts';
import type { RespaldoError } from '../errors.ts';
import type { Repository } from '../repository/repository.ts';

/**
 * For verbs that only look: shows what can be read of the snapshots, and tells of a damaged record after that.
 * @throws RespaldoError `repository-damaged` once the others are shown
 */
export async function showReadable(
  repository: Pick<Repository, 'snapshots'>,
  filter: SnapshotFilter,
  show: (snapshots: readonly Snapshot[]) => Promise<void> | void,
  signal: AbortSignal,
): Promise<void> {
  const damages: RespaldoError[] = [];
  await show(await repository.snapshots(filter, signal, (_id, error) => damages.push(error)));
  if (damages[0] !== undefined) throw damages[0];
}
