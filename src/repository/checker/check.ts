/** Finds what is damaged in a repository. */
import type { Finding } from '../../domain/finding.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { isError, throwIfAborted } from '../../errors.ts';
import { afresh, type RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import { parseSnapshot } from '../format/snapshot-record.ts';
import type { CheckOptions } from '../repository.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { loadIndex as readIndex } from '../storage/load-index.ts';
import { takeLock } from '../storage/locks.ts';
import { checkData } from './data.ts';
import * as found from './findings.ts';
import { findHits } from './hits.ts';
import { checkKeys } from './keys.ts';
import { Losses } from './losses.ts';
import { checkPacks } from './packs.ts';
import { packsOf } from './subset.ts';
import { checkTrees } from './trees.ts';

/** See {@link Repository.check}. Damage is a finding; what stops the check itself (a lock, the network) is thrown. */
export async function* check(
  context: RepositoryContext,
  options: CheckOptions,
  signal: AbortSignal,
): AsyncGenerator<Finding, void, undefined> {
  const { objects, clock } = context;
  const lock = await takeLock(objects, { exclusive: false, clock, signal, readOnly: true });
  try {
    yield* checkAll(afresh(context), options, lock.signal);
  } catch (error) {
    throwIfAborted(lock.signal);
    throw error;
  } finally {
    await lock.release();
  }
}

/** The same for who holds a lock already. Nothing is believed that was read before: see {@link afresh}. */
export async function* checkAll(
  context: RepositoryContext,
  { readData, onProgress }: CheckOptions,
  signal: AbortSignal,
): AsyncGenerator<Finding, void, undefined> {
  const progressOf = (what: 'snapshots' | 'packs') => (done: number, total: number) => onProgress?.(done, total, what);
  yield* checkKeys(context, signal);
  // Before the index, so that it has all that these snapshots need.
  const snapshots = yield* readSnapshots(context, signal);
  const index = yield* loadIndex(context, signal);
  const losses = new Losses(index);
  const present = yield* checkPacks(context, index, losses, signal);
  yield* checkTrees(context, index, snapshots, losses, progressOf('snapshots'), signal);
  if (readData !== false) {
    const packs = readData === true ? new Set(present.keys()) : packsOf(readData, present, Math.random);
    yield* checkData(context, index, packs, losses, progressOf('packs'), signal);
  }
  if (losses.any) yield* findHits(context, index, snapshots, losses, signal);
}

async function* readSnapshots(
  { objects }: RepositoryContext,
  signal: AbortSignal,
): AsyncGenerator<Finding, readonly Snapshot[], undefined> {
  const ids: Id[] = [];
  for await (const { id } of objects.list('snapshot', signal)) ids.push(id);
  const snapshots: Snapshot[] = [];
  for (const id of ids) {
    try {
      snapshots.push(parseSnapshot(id, await objects.load('snapshot', id, signal)));
    } catch (error) {
      if (!isError(error, 'repository-damaged')) throw error;
      yield found.snapshotDamaged(id, error.message);
    }
  }
  return snapshots;
}

async function* loadIndex(
  { objects }: RepositoryContext,
  signal: AbortSignal,
): AsyncGenerator<Finding, BlobIndex, undefined> {
  const damaged: Finding[] = [];
  const onDamaged = (id: Id, error: Error) => damaged.push(found.indexDamaged(id, error.message));
  const index = await readIndex(objects, signal, { onDamaged });
  yield* damaged;
  return index;
}
