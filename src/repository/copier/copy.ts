import type { Snapshot, SnapshotFilter } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import type { BlobType } from '../format/pack.ts';
import { PACK_BYTES } from '../format/packing.ts';
import { encodeSnapshot } from '../format/snapshot-record.ts';
import type { CopyOptions, CopySummary } from '../repository.ts';
import { loadSnapshots, selectSnapshots } from '../snapshots.ts';
import { BlobBits } from '../storage/blob-bits.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { withLock } from '../storage/locks.ts';
import { idsIn } from '../storage/id-words.ts';
import { treeReferences } from '../storage/tree-references.ts';
import { TreeWalk } from '../storage/tree-walk.ts';
import { BlobCopy } from './blob-copy.ts';
import { CopiesBefore } from './copies-before.ts';

/** Snapshots are finished together once they bring this much: else many small ones would make many small packs. */
const BATCH_BYTES = 10 * PACK_BYTES;

/** See {@link Repository.copyFrom}. Durable in this order: packs, index, snapshots. */
export function copy(
  source: RepositoryContext,
  target: RepositoryContext,
  filter: SnapshotFilter,
  options: CopyOptions,
  signal: AbortSignal,
): Promise<CopySummary> {
  const reading = { exclusive: false, readOnly: true, clock: source.clock, signal };
  return withLock(source.objects, reading, (signal) =>
    withLock(target.objects, { exclusive: false, clock: target.clock, signal }, async (signal, guard) => {
      const before = new CopiesBefore(await loadSnapshots(target.objects, signal));
      const snapshots = await selectSnapshots(source.objects, filter, signal);
      const [from, to] = [await source.loadIndex(signal), await target.loadIndex(signal)];
      const needs = new Needs(source, from, to);
      const blobs = new BlobCopy(source, target, from, signal);
      const summary = { copied: 0, skipped: 0, blobs: 0, bytes: 0 };
      let batch: Snapshot[] = [];
      const finishBatch = async (): Promise<void> => {
        const { blobs: count, bytes } = await blobs.copy(needs.take());
        summary.blobs += count;
        summary.bytes += bytes;
        await guard.confirm();
        for (const snapshot of batch) {
          const id = await saveRecord(target, snapshot, signal);
          options.onCopied?.(snapshot, id);
        }
        summary.copied += batch.length;
        batch = [];
      };
      for (const snapshot of snapshots) {
        const known = before.of(snapshot);
        if (known !== undefined) {
          summary.skipped += 1;
          options.onSkipped?.(snapshot, known);
          continue;
        }
        await needs.add(snapshot, signal);
        batch.push(snapshot);
        if (needs.bytes >= BATCH_BYTES) await finishBatch();
      }
      await finishBatch();
      return summary;
    }),
  );
}

/** A parent means nothing in another repository; where the snapshot came from does. */
function saveRecord(
  { objects }: RepositoryContext,
  { id, parent: _, ...record }: Snapshot,
  signal: AbortSignal,
): Promise<Id> {
  return objects.save('snapshot', encodeSnapshot({ ...record, original: record.original ?? id }), signal);
}

/** The blobs of snapshots that the target lacks, by their rows in the source's index. */
class Needs {
  readonly #from: BlobIndex;
  readonly #to: BlobIndex;
  readonly #walk: TreeWalk;
  /** Whatever was asked for in this run: it is there, or on its way. */
  readonly #asked: BlobBits;
  #rows: number[] = [];
  #bytes = 0;

  constructor(source: RepositoryContext, from: BlobIndex, to: BlobIndex) {
    this.#from = from;
    this.#to = to;
    this.#asked = new BlobBits(from.size);
    this.#walk = new TreeWalk(source, from, {
      tree: (id, content) => {
        this.#ask('tree', id);
        const { data, subtrees } = treeReferences(content);
        for (const blob of idsIn(data)) this.#ask('data', blob);
        return subtrees;
      },
      missing: (id) => this.#ask('tree', id),
      damaged: (_, error) => {
        throw error;
      },
    });
  }

  /** As stored in the source, since the last {@link take}. */
  get bytes(): number {
    return this.#bytes;
  }

  async add({ tree }: Snapshot, signal: AbortSignal): Promise<void> {
    await this.#walk.visit([tree], signal);
  }

  take(): readonly number[] {
    const rows = this.#rows;
    this.#rows = [];
    this.#bytes = 0;
    return rows;
  }

  #ask(type: BlobType, id: Id): void {
    const row = this.#from.rowOf(type, id);
    if (row < 0) throw missing(type, id);
    if (!this.#asked.add(row) || this.#to.has(type, id)) return;
    this.#rows.push(row);
    this.#bytes += this.#from.bytesOf(row);
  }
}

function missing(type: BlobType, id: Id): RespaldoError {
  return new RespaldoError('repository-damaged', `${type} blob ${id} is in no index of the source`, {
    hint: 'Snapshots that were copied before are whole. `respaldo check` on the source tells which ones are hit.',
    context: { blob: id, type },
  });
}
