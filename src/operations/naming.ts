import { nameTag } from '../domain/snapshot-name.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { RespaldoError } from '../errors.ts';
import type { Repository } from '../repository/repository.ts';
import type { BackupOutcome } from './backup.ts';

/**
 * The snapshots that bear the name already, which a new one is to replace.
 * @throws RespaldoError `usage` if there are some and they are not to be replaced.
 */
export async function bearersOf(
  name: string,
  overwrite: boolean,
  repository: Pick<Repository, 'snapshots'>,
  signal: AbortSignal,
): Promise<readonly Snapshot[]> {
  const bearers = await repository.snapshots({ tags: [[nameTag(name)]] }, signal);
  if (bearers.length === 0 || overwrite) return bearers;
  const ids = bearers.map(({ id }) => id.slice(0, 8)).join(', ');
  throw new RespaldoError('usage', `a snapshot is named ${name} already: ${ids}`, {
    hint: 'Choose another name; --overwrite drops that one once the new one is complete.',
  });
}

/** Drops the earlier bearers of a name, but only for a complete snapshot. @returns whether it did */
export async function replaceBearers(
  bearers: readonly Snapshot[],
  { state, snapshot }: Pick<BackupOutcome, 'state' | 'snapshot'>,
  repository: Pick<Repository, 'forget'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (bearers.length === 0 || snapshot === undefined || state !== 'succeeded') return false;
  await repository.forget(
    bearers.map(({ id }) => id),
    signal,
  );
  return true;
}
