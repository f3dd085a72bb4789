import { guardNamesakes } from '../domain/guards.ts';
import { nameOf, nameTag } from '../domain/snapshot-name.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { needsOf } from '../domain/strategy.ts';
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

/** What became of the earlier bearers of a name. */
export interface ReplacedBearers {
  readonly dropped: readonly Snapshot[];
  /** Those that had to stay lost the name only, and have new ids by it. */
  readonly kept: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * Drops the earlier bearers of a name, but only for a complete snapshot, and none that its source cannot do without: the
 * last complete or proven one, the full that the next differential is compared with.
 * @returns undefined: they still bear it
 */
export async function replaceBearers(
  bearers: readonly Snapshot[],
  { state, snapshot }: Pick<BackupOutcome, 'state' | 'snapshot'>,
  repository: Pick<Repository, 'forget' | 'snapshots' | 'tag'>,
  signal: AbortSignal,
): Promise<ReplacedBearers | undefined> {
  if (bearers.length === 0 || snapshot === undefined || state !== 'succeeded') return undefined;
  const stay = guardNamesakes(bearers, await repository.snapshots({}, signal), needsOf);
  const kept: ReplacedBearers['kept'][number][] = [];
  for (const { id, tags = [] } of bearers) {
    const reason = stay.get(id);
    if (reason === undefined) continue;
    const names = tags.filter((tag) => nameOf({ tags: [tag] }) !== undefined);
    const [changed] = await repository.tag({ ids: [id] }, { add: [], remove: names }, signal);
    kept.push({ id: changed?.after ?? id, reason });
  }
  const dropped = bearers.filter(({ id }) => !stay.has(id));
  if (dropped.length > 0)
    await repository.forget(
      dropped.map(({ id }) => id),
      signal,
    );
  return { dropped, kept };
}
