import { isError } from '../../errors.ts';
import * as found from '../checker/findings.ts';
import { afresh, type RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import type { IndexedPack } from '../format/index-file.ts';
import { packSizeOf } from '../format/pack.ts';
import type { IndexRepair, IndexRepairOptions } from '../repository.ts';
import type { BlobIndex, PackRows } from '../storage/blob-index.ts';
import { IndexWriter } from '../storage/index-writer.ts';
import { loadIndex } from '../storage/load-index.ts';
import { withLock } from '../storage/locks.ts';
import { listPacks, packKey } from '../storage/objects.ts';
import { inParallel } from '../storage/parallel.ts';
import { readPack } from './read-pack.ts';

const AT_ONCE = 8;

/** What is wrong with an index, compared with the packs in the store. */
interface Comparison {
  /** Packs to read, with their size in the store and their rows in the index if it has any. */
  readonly suspects: readonly { readonly id: Id; readonly size: number; readonly rows: readonly number[] }[];
  /** Packs, by their number in the index, whose rows are not to be believed. */
  readonly doubted: ReadonlySet<number>;
  readonly forgotten: number;
}

/**
 * See {@link Repository.repairIndex}. The new index files are durable before the old ones go; what only a damaged pack
 * could tell stays as the old index tells it.
 */
export function repairIndex(
  context: RepositoryContext,
  options: IndexRepairOptions,
  signal: AbortSignal,
): Promise<IndexRepair> {
  const { objects, clock } = context;
  return withLock(objects, { exclusive: true, clock, signal }, async (signal, guard) => {
    const unreadable: Id[] = [];
    const index = await loadIndex(afresh(context).objects, signal, {
      onDamaged: (id, error) => {
        unreadable.push(id);
        options.onFinding?.(found.indexDamaged(id, error.message));
      },
    });
    const comparison = await compare(context, index, options, signal);
    const { added, damagedPacks, obsolete } = await writeIndex(context, index, comparison, options, signal);
    await guard.confirm();
    const replaced = [...obsolete, ...unreadable];
    for await (const _ of inParallel(replaced, AT_ONCE, (id) => objects.remove('index', id, signal)));
    const { forgotten } = comparison;
    return { packsAdded: added, packsForgotten: forgotten, damagedPacks, filesReplaced: replaced.length };
  });
}

async function compare(
  context: RepositoryContext,
  index: BlobIndex,
  { readAllPacks, onFinding }: IndexRepairOptions,
  signal: AbortSignal,
): Promise<Comparison> {
  const sizes = new Map<Id, number>();
  for await (const { id, size } of listPacks(context.store, signal)) sizes.set(id, size);
  const suspects: { id: Id; size: number; rows: readonly number[] }[] = [];
  const doubted = new Set<number>();
  let forgotten = 0;
  for (const { id, pack, rows } of index.packRows()) {
    const size = sizes.get(id) ?? (await sizeIfThere(context, id, signal));
    sizes.delete(id);
    const expected = packSizeOf(rows.map((row) => index.at(row)));
    if (size === expected && !readAllPacks) continue;
    doubted.add(pack);
    if (size !== undefined) suspects.push({ id, size, rows });
    else {
      forgotten += 1;
      onFinding?.(found.packMissing(id));
    }
    if (size !== undefined && size !== expected) onFinding?.(found.packSizeWrong(id, size, expected));
  }
  for (const [id, size] of sizes) suspects.push({ id, size, rows: [] });
  return { suspects, doubted, forgotten };
}

/** A list may lie; what it leaves out is asked for by name before it is given up. */
async function sizeIfThere({ store }: RepositoryContext, id: Id, signal: AbortSignal): Promise<number | undefined> {
  try {
    return (await store.stat(packKey(id), signal)).size;
  } catch (error) {
    if (isError(error, 'store-missing')) return undefined;
    throw error;
  }
}

interface Written {
  readonly added: number;
  readonly damagedPacks: readonly Id[];
  /** Index files that nobody needs any more. */
  readonly obsolete: readonly Id[];
}

async function writeIndex(
  context: RepositoryContext,
  index: BlobIndex,
  { suspects, doubted }: Comparison,
  { readAllPacks, onFinding, onProgress }: IndexRepairOptions,
  signal: AbortSignal,
): Promise<Written> {
  const writer = new IndexWriter(context.objects, signal);
  const damagedPacks: Id[] = [];
  let [done, added] = [0, 0];
  const read = inParallel(suspects, AT_ONCE, ({ id, size, rows }) => readPack(context, index, id, size, rows, signal));
  for await (const pack of read) {
    onProgress?.((done += 1), suspects.length);
    if (pack.finding !== undefined) {
      damagedPacks.push(pack.id);
      onFinding?.(pack.finding);
    }
    if (pack.blobs.length === 0) continue;
    await writer.add(pack);
    added += 1;
  }
  const obsolete = new Set(index.indexIds.keys().filter((file) => readAllPacks || index.isOverlapping(file)));
  for (const { pack, file } of index.packRows()) if (doubted.has(pack)) obsolete.add(file);
  for (const rows of index.packRows())
    if (obsolete.has(rows.file) && !doubted.has(rows.pack)) await writer.add(indexedPack(index, rows));
  await writer.flush();
  return { added, damagedPacks, obsolete: index.indexIds.filter((_, file) => obsolete.has(file)) };
}

function indexedPack(index: BlobIndex, { id, rows }: PackRows): IndexedPack {
  return { id, blobs: rows.map((row) => index.at(row)) };
}
