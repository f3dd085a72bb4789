import type { Snapshot } from '../../domain/snapshot.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import { encodeSnapshot } from '../format/snapshot-record.ts';
import type { Rewritten, RewriteOptions } from '../repository.ts';
import type { BlobWriter } from '../storage/blob-writer.ts';
import type { Guard } from '../storage/held-lock.ts';

interface Pending {
  readonly before: Snapshot;
  readonly record: Omit<Snapshot, 'id'>;
}

/**
 * Replaces records of snapshots, several at a time so that their new trees share packs. What the new records need is
 * durable before they are written, and they before the old ones go.
 */
export class Replacement {
  readonly #context: RepositoryContext;
  readonly #writer: BlobWriter;
  readonly #options: RewriteOptions;
  readonly #guard: Guard;
  /** Records that there are, by what they hold: an interrupted run has written some that are not written again. */
  readonly #known: Map<string, Id>;
  readonly #done: Rewritten[] = [];
  #pending: Pending[] = [];

  /** @param snapshots all that there are */
  constructor(
    context: RepositoryContext,
    writer: BlobWriter,
    snapshots: readonly Snapshot[],
    options: RewriteOptions,
    guard: Guard,
  ) {
    this.#context = context;
    this.#writer = writer;
    this.#options = options;
    this.#guard = guard;
    this.#known = new Map(snapshots.map(({ id, ...record }) => [contentOf(record), id]));
  }

  /** @param record of the new snapshot */
  async add(before: Snapshot, record: Omit<Snapshot, 'id'>): Promise<void> {
    this.#pending.push({ before, record });
    if (this.#writer.packs > 0) await this.#commit();
  }

  /** A snapshot of which nothing can be read: without `forget` it stays as it is. */
  async drop({ id }: Pick<Snapshot, 'id'>): Promise<void> {
    this.#done.push({ before: { id }, unreadable: true });
    if (this.#options.dryRun || !this.#options.forget) return;
    await this.#guard.confirm();
    await this.#context.objects.remove('snapshot', id, this.#guard.signal);
  }

  /** Everything is done when this resolves. */
  async finish(): Promise<readonly Rewritten[]> {
    await this.#commit();
    return this.#done;
  }

  async #commit(): Promise<void> {
    const { objects } = this.#context;
    const { dryRun, forget } = this.#options;
    if (!dryRun) await this.#writer.flush();
    for (const { before, record } of this.#pending) {
      if (dryRun) {
        this.#done.push({ before });
        continue;
      }
      await this.#guard.confirm();
      const after = await this.#save(record);
      if (forget && after !== before.id) await objects.remove('snapshot', before.id, this.#guard.signal);
      this.#done.push({ before, after });
    }
    this.#pending = [];
  }

  async #save(record: Omit<Snapshot, 'id'>): Promise<Id> {
    const content = contentOf(record);
    const known = this.#known.get(content);
    if (known !== undefined) return known;
    const id = await this.#context.objects.save('snapshot', encodeSnapshot(record), this.#guard.signal);
    this.#known.set(content, id);
    return id;
  }
}

function contentOf(record: Omit<Snapshot, 'id'>): string {
  return Buffer.from(encodeSnapshot(record)).toString();
}
