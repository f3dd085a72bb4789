import { RespaldoError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import { loadSnapshots } from '../snapshots.ts';
import { BlobBits } from '../storage/blob-bits.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { ID_WORDS, idAt } from '../storage/id-words.ts';
import { RecentIds } from '../storage/recent-ids.ts';
import { treeReferences } from '../storage/tree-references.ts';
import { TreeWalk } from '../storage/tree-walk.ts';

const NAMED = 5;

/**
 * The roots of everything that must stay.
 * @param without ids of snapshots to pass over
 * @throws RespaldoError `repository-damaged` if a snapshot cannot be read
 */
export async function loadRoots(
  { objects }: RepositoryContext,
  signal: AbortSignal,
  without: readonly string[] = [],
): Promise<Set<Id>> {
  const snapshots = (await loadSnapshots(objects, signal)).filter(({ id }) => !without.includes(id));
  return new Set(snapshots.map(({ tree }) => tree));
}

/**
 * All blobs that these trees need, by the first row of each.
 * @throws RespaldoError `repository-damaged` if one cannot be found or a tree cannot be read
 */
export async function findUsedBlobs(
  context: RepositoryContext,
  index: BlobIndex,
  roots: ReadonlySet<Id>,
  signal: AbortSignal,
): Promise<BlobBits> {
  const used = new BlobBits(index.size);
  const missing = new Set<string>();
  // Most of what a folder's tree names, the tree of the day before named as well.
  const recent = new RecentIds();
  const walk = new TreeWalk(context, index, {
    tree: (id, content) => {
      used.add(index.rowOf('tree', id));
      const { data, subtrees } = treeReferences(content);
      for (let at = 0; at < data.length; at += ID_WORDS) {
        if (recent.see(data, at)) continue;
        const row = index.rowOfWords('data', data, at);
        if (row >= 0) used.add(row);
        else missing.add(`data blob ${idAt(data, at)}`);
      }
      return subtrees;
    },
    missing: (id) => missing.add(`tree blob ${id}`),
    damaged: (_, error) => {
      throw refuse(error.message, error);
    },
  });
  await walk.visit(roots, signal);
  if (missing.size > 0) throw refuse(`${missing.size} blobs that snapshots need are in no index: ${name(missing)}`);
  return used;
}

/** The error of a prune that would make damage worse. Nothing has been removed. */
export function refuse(what: string, cause?: unknown): RespaldoError {
  return new RespaldoError('repository-damaged', `not pruned: ${what}`, {
    hint: 'Nothing was removed. Run `respaldo check --read-data`, then forget the snapshots that are hit.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function name(subjects: ReadonlySet<string>): string {
  const some = [...subjects].slice(0, NAMED).join(', ');
  return subjects.size > NAMED ? `${some} …` : some;
}
