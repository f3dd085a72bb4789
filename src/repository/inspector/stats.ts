import { RespaldoError } from '../../errors.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { RepositoryContext } from '../context.ts';
import { SEAL_OVERHEAD } from '../format/crypto.ts';
import type { Id } from '../format/id.ts';
import type { BlobType } from '../format/pack.ts';
import type { StatsMode, StoredStats } from '../repository.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { idsIn } from '../storage/id-words.ts';
import { treeReferences } from '../storage/tree-references.ts';
import { TreeWalk } from '../storage/tree-walk.ts';
import { BlobUse, plainLength } from './blob-use.ts';
import { FileCount } from './file-count.ts';
import { RestoreSize } from './restore-size.ts';

/** See {@link Repository.stats}. */
export async function stats(
  context: RepositoryContext,
  snapshots: readonly Snapshot[],
  mode: StatsMode,
  signal: AbortSignal,
): Promise<StoredStats> {
  const index = await context.loadIndex(signal);
  const trees = snapshots.map(({ tree }) => tree);
  const counted = await count(context, index, trees, mode, signal);
  return { snapshots: snapshots.length, ...counted };
}

function count(
  context: RepositoryContext,
  index: BlobIndex,
  trees: readonly Id[],
  mode: StatsMode,
  signal: AbortSignal,
): Promise<Omit<StoredStats, 'snapshots'>> {
  switch (mode) {
    case 'restore-size':
      return new RestoreSize(context, index, signal).of(trees);
    case 'files-by-contents':
    case 'blobs-per-file':
      return new FileCount(context, index, mode, signal).of(trees);
    case 'raw-data':
      return rawData(context, index, trees, signal);
  }
}

/** Every blob that the snapshots need, once. */
async function rawData(
  context: RepositoryContext,
  index: BlobIndex,
  trees: readonly Id[],
  signal: AbortSignal,
): Promise<Omit<StoredStats, 'snapshots'>> {
  const use = new BlobUse(index);
  const need = (type: BlobType, id: Id): void => {
    if (!use.add(type, id)) throw missing(type, id);
  };
  const walk = new TreeWalk(context, index, {
    tree: (id, content) => {
      need('tree', id);
      const { data, subtrees } = treeReferences(content);
      for (const blob of idsIn(data)) need('data', blob);
      return subtrees;
    },
    missing: (id) => need('tree', id),
    damaged: (_, error) => {
      throw error;
    },
  });
  await walk.visit(new Set(trees), signal);
  return tally(use, context.config.version);
}

function tally(use: BlobUse, version: 1 | 2): Omit<StoredStats, 'snapshots'> {
  const total = { blobs: 0, bytes: 0, uncompressed: 0, compressedBlobs: { stored: 0, uncompressed: 0 } };
  for (const blob of use.without()) {
    total.blobs += 1;
    total.bytes += blob.length;
    if (version === 1) continue;
    const uncompressed = plainLength(blob) + SEAL_OVERHEAD;
    total.uncompressed += uncompressed;
    if (blob.uncompressedLength === 0) continue;
    total.compressedBlobs.stored += blob.length;
    total.compressedBlobs.uncompressed += uncompressed;
  }
  const { blobs, bytes, uncompressed, compressedBlobs } = total;
  return { files: 0, blobs, bytes, compression: { uncompressed, compressedBlobs } };
}

function missing(type: BlobType, id: Id): RespaldoError {
  return new RespaldoError('repository-damaged', `${type} blob ${id} is in no index`, {
    hint: 'Run `respaldo check` to learn which snapshots are hit.',
    context: { blob: id, type },
  });
}
