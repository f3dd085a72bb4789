import { RespaldoError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import { isId } from '../format/id.ts';
import { withLock } from '../storage/locks.ts';

/** Removes the records of snapshots; their blobs stay until a prune. See {@link Repository.forget}. */
export async function forget(context: RepositoryContext, ids: readonly string[], signal: AbortSignal): Promise<void> {
  const unfinished = ids.filter((id: string) => !isId(id)).join(', ');
  if (unfinished !== '') throw new RespaldoError('usage', `not the whole id of a snapshot: ${unfinished}`);
  if (ids.length === 0) return;
  const { objects, clock } = context;
  await withLock(objects, { exclusive: true, clock, signal }, async (signal) => {
    for (const id of ids) await objects.remove('snapshot', id, signal);
  });
}
