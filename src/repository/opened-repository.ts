import type { Entry } from '../domain/entry.ts';
import type { Finding } from '../domain/finding.ts';
import type { ReadableSnapshot, Snapshot, SnapshotFilter } from '../domain/snapshot.ts';
import { RespaldoError } from '../errors.ts';
import { check } from './checker/check.ts';
import type { RepositoryContext } from './context.ts';
import type { KeyDerivation, KeyOwner } from './format/key.ts';
import { addKey, changePassword, listKeys, removeKey } from './keys.ts';
import { blobs } from './inspector/blobs.ts';
import { listStored, showBlob, showConfig, showObject, showTree } from './inspector/objects.ts';
import { migrate, migrations } from './migrations.ts';
import { forget } from './pruner/forget.ts';
import { prune } from './pruner/prune.ts';
import type {
  About,
  CheckOptions,
  CopyOptions,
  CopySummary,
  Difference,
  DiffOptions,
  DiffSide,
  IndexRepair,
  IndexRepairOptions,
  KeyInfo,
  ListedNode,
  ListedObject,
  ListSelect,
  LockInfo,
  MigrateOptions,
  Migration,
  PackRepair,
  PackRepairOptions,
  PrunePlan,
  PrunePolicy,
  Repository,
  Restored,
  RestoreOptions,
  Retagged,
  Rewritten,
  RewriteOptions,
  Saved,
  SaveOptions,
  ShownObject,
  SnapshotChange,
  StatsMode,
  StoredBlob,
  StoredStats,
  StoredType,
  TagChange,
} from './repository.ts';
import { content } from './restorer/content.ts';
import { list } from './restorer/list.ts';
import { readable } from './restorer/readable.ts';
import { findSnapshot, selectSnapshots } from './snapshots.ts';
import { listLocks, removeLocks } from './storage/locks.ts';
import { tag } from './tags.ts';

/** A repository whose master key is known. Each part of the work has its own folder or file; this only brings them together. */
export class OpenedRepository implements Repository {
  readonly #context: RepositoryContext;
  readonly #derivation: KeyDerivation | undefined;
  #keyId: string;

  constructor(context: RepositoryContext, keyId: string, derivation: KeyDerivation | undefined) {
    this.#context = context;
    this.#keyId = keyId;
    this.#derivation = derivation;
  }

  get id(): string {
    return this.#context.config.id;
  }

  get version(): 1 | 2 {
    return this.#context.config.version;
  }

  get polynomial(): bigint {
    return this.#context.config.polynomial;
  }

  get location(): string {
    return this.#context.store.location;
  }

  get keyId(): string {
    return this.#keyId;
  }

  async save(entries: AsyncIterable<Entry>, about: About, options: SaveOptions, signal: AbortSignal): Promise<Saved> {
    // Loaded on use, as the restorer: most verbs need neither, and start faster.
    const { save } = await import('./archiver/archiver.ts');
    return save(this.#context, entries, about, options, signal);
  }

  snapshots(
    filter: SnapshotFilter,
    signal: AbortSignal,
    onDamaged?: (id: string, error: RespaldoError) => void,
  ): Promise<readonly Snapshot[]> {
    return selectSnapshots(this.#context.objects, filter, signal, onDamaged);
  }

  find(text: string, filter: SnapshotFilter, signal: AbortSignal): Promise<Snapshot> {
    return findSnapshot(this.#context.objects, text, filter, signal);
  }

  list(snapshot: Snapshot, select: ListSelect, signal: AbortSignal): AsyncIterable<ListedNode> {
    return list(this.#context, snapshot, select, signal);
  }

  content(node: ListedNode, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return content(this.#context, node, signal);
  }

  readable(snapshot: Snapshot, signal: AbortSignal): ReadableSnapshot {
    return readable(this.#context, snapshot, signal);
  }

  async restore(snapshot: Snapshot, target: string, options: RestoreOptions, signal: AbortSignal): Promise<Restored> {
    const { restore } = await import('./restorer/restore.ts');
    return restore(this.#context, snapshot, target, options, signal);
  }

  forget(ids: readonly string[], signal: AbortSignal): Promise<void> {
    return forget(this.#context, ids, signal);
  }

  prune(
    policy: PrunePolicy,
    onPlan: (plan: PrunePlan) => boolean | Promise<boolean>,
    signal: AbortSignal,
  ): Promise<PrunePlan> {
    return prune(this.#context, policy, onPlan, signal);
  }

  check(options: CheckOptions, signal: AbortSignal): AsyncIterable<Finding> {
    return check(this.#context, options, signal);
  }

  async repairIndex(options: IndexRepairOptions, signal: AbortSignal): Promise<IndexRepair> {
    const { repairIndex } = await import('./repairer/repair-index.ts');
    return repairIndex(this.#context, options, signal);
  }

  async repairPacks(ids: readonly string[], options: PackRepairOptions, signal: AbortSignal): Promise<PackRepair> {
    const { repairPacks } = await import('./repairer/repair-packs.ts');
    return repairPacks(this.#context, ids, options, signal);
  }

  async repairSnapshots(
    filter: SnapshotFilter,
    options: RewriteOptions,
    signal: AbortSignal,
  ): Promise<readonly Rewritten[]> {
    const { repairSnapshots } = await import('./repairer/repair-snapshots.ts');
    return repairSnapshots(this.#context, filter, options, signal);
  }

  async rewrite(
    filter: SnapshotFilter,
    change: SnapshotChange,
    options: RewriteOptions,
    signal: AbortSignal,
  ): Promise<readonly Rewritten[]> {
    const { rewrite } = await import('./rewriter/rewrite.ts');
    return rewrite(this.#context, filter, change, options, signal);
  }

  migrations(): readonly Migration[] {
    return migrations(this.#context);
  }

  migrate(name: string, options: MigrateOptions, signal: AbortSignal): Promise<void> {
    return migrate(this.#context, name, options, signal);
  }

  async diff(before: DiffSide, after: DiffSide, options: DiffOptions, signal: AbortSignal): Promise<Difference> {
    const { diff } = await import('./inspector/diff.ts');
    return diff(this.#context, before, after, options, signal);
  }

  async stats(snapshots: readonly Snapshot[], mode: StatsMode, signal: AbortSignal): Promise<StoredStats> {
    const { stats } = await import('./inspector/stats.ts');
    return stats(this.#context, snapshots, mode, signal);
  }

  async copyFrom(
    source: Repository,
    filter: SnapshotFilter,
    options: CopyOptions,
    signal: AbortSignal,
  ): Promise<CopySummary> {
    if (!(source instanceof OpenedRepository)) throw new RespaldoError('internal', 'not a repository of this kind');
    const { copy } = await import('./copier/copy.ts');
    return copy(source.#context, this.#context, filter, options, signal);
  }

  tag(filter: SnapshotFilter, change: TagChange, signal: AbortSignal): Promise<readonly Retagged[]> {
    return tag(this.#context, filter, change, signal);
  }

  objects(type: StoredType, signal: AbortSignal): AsyncIterable<ListedObject> {
    return listStored(this.#context, type, signal);
  }

  object(type: StoredType, id: string, signal: AbortSignal): Promise<ShownObject> {
    return showObject(this.#context, type, id, signal);
  }

  config(): Uint8Array {
    return showConfig(this.#context);
  }

  blob(id: string, signal: AbortSignal): Promise<Uint8Array> {
    return showBlob(this.#context, id, signal);
  }

  tree(snapshot: Snapshot, path: string, signal: AbortSignal): Promise<Uint8Array> {
    return showTree(this.#context, snapshot, path, signal);
  }

  blobs(signal: AbortSignal): AsyncIterable<StoredBlob> {
    return blobs(this.#context, signal);
  }

  keys(signal: AbortSignal): Promise<readonly KeyInfo[]> {
    return listKeys(this.#context, this.#keyId, signal);
  }

  addKey(password: string, about: KeyOwner, signal: AbortSignal): Promise<string> {
    return addKey(this.#context, password, about, this.#derivation, signal);
  }

  removeKey(id: string, signal: AbortSignal): Promise<void> {
    return removeKey(this.#context, id, this.#keyId, signal);
  }

  async changePassword(password: string, about: Partial<KeyOwner>, signal: AbortSignal): Promise<string> {
    this.#keyId = await changePassword(this.#context, password, about, this.#keyId, this.#derivation, signal);
    return this.#keyId;
  }

  async locks(signal: AbortSignal): Promise<readonly LockInfo[]> {
    const found = await listLocks(this.#context.objects, signal);
    return found.map(({ id, lock: { time, exclusive, hostname, username, pid } }) => ({
      id,
      time,
      exclusive,
      hostname,
      username,
      pid,
    }));
  }

  unlock(all: boolean, signal: AbortSignal): Promise<number> {
    return removeLocks(this.#context.objects, all, this.#context.clock, signal);
  }

  async close(): Promise<void> {
    await this.#context.recruits?.close();
    await this.#context.store.close();
  }
}
