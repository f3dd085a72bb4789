/**
 * The repository as the rest of the program sees it: deduplicated, encrypted snapshots in a store, in restic's format.
 * The words are restic's: blob, pack, index, tree, node, key, lock, parent.
 */
import type { Entry } from '../domain/entry.ts';
import type { Finding } from '../domain/finding.ts';
import type { ReadableSnapshot, Snapshot, SnapshotFilter } from '../domain/snapshot.ts';
import type { RespaldoError } from '../errors.ts';
import type { About, SaveOptions, Saved } from './port/saving.ts';
import type { MigrateOptions, Migration } from './port/migrating.ts';
import type { ListSelect, ListedNode } from './port/listing.ts';
import type { IndexRepair, IndexRepairOptions, PackRepair, PackRepairOptions } from './port/repairing.ts';
import type { RestoreOptions, Restored } from './port/restoring.ts';
import type { Rewritten, RewriteOptions, SnapshotChange } from './port/rewriting.ts';
import type { CheckOptions } from './port/checking.ts';
import type { PrunePlan, PrunePolicy } from './port/pruning.ts';
import type { DiffOptions, DiffSide, Difference, StatsMode, StoredStats } from './port/inspecting.ts';
import type { CopyOptions, CopySummary } from './port/copying.ts';
import type { Retagged, TagChange } from './port/tagging.ts';
import type { KeyInfo, ListedObject, LockInfo, ShownObject, StoredBlob, StoredType } from './port/objects.ts';

export type * from './port/checking.ts';
export type * from './port/copying.ts';
export type * from './port/inspecting.ts';
export type * from './port/listing.ts';
export type * from './port/locking.ts';
export type * from './port/migrating.ts';
export type * from './port/objects.ts';
export type * from './port/opening.ts';
export type * from './port/packing.ts';
export type * from './port/pruning.ts';
export type * from './port/repairing.ts';
export type * from './port/restoring.ts';
export type * from './port/rewriting.ts';
export type * from './port/saving.ts';
export type * from './port/tagging.ts';

export interface Repository {
  /** 64 hexadecimal digits: the id in its config. */
  readonly id: string;
  readonly version: 1 | 2;
  /** Where its files are cut: an irreducible polynomial over GF(2). */
  readonly polynomial: bigint;
  readonly location: string;
  /** Id of the key that the password opened. */
  readonly keyId: string;

  /**
   * Takes a shared lock. A finding `incomplete` (ours, or the source's) tags the snapshot `incomplete`. Durable order: packs, index, snapshot.
   * Nothing is listed unless everything it needs is. If `entries` throws, no snapshot is written.
   */
  save(entries: AsyncIterable<Entry>, about: About, options: SaveOptions, signal: AbortSignal): Promise<Saved>;

  /**
   * Newest last. Needs no index.
   * @param onDamaged told of each whose record cannot be read; without it they are an error
   */
  snapshots(
    filter: SnapshotFilter,
    signal: AbortSignal,
    onDamaged?: (id: string, error: RespaldoError) => void,
  ): Promise<readonly Snapshot[]>;
  /**
   * The one snapshot that `text` names: an id, a unique prefix, the name that a person gave it, or `latest` (the newest complete one that passes the
   * filter; the newest incomplete one only where there is no other).
   * @throws RespaldoError `snapshot-missing`, `usage` for an ambiguous prefix.
   */
  find(text: string, filter: SnapshotFilter, signal: AbortSignal): Promise<Snapshot>;

  /** Depth first, in the order of names' bytes. Directories before their content. */
  list(snapshot: Snapshot, select: ListSelect, signal: AbortSignal): AsyncIterable<ListedNode>;
  /** One file's bytes, verified blob by blob. */
  content(node: ListedNode, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** For sources. */
  readable(snapshot: Snapshot, signal: AbortSignal): ReadableSnapshot;
  /** Takes a shared lock. */
  restore(snapshot: Snapshot, target: string, options: RestoreOptions, signal: AbortSignal): Promise<Restored>;

  /** Takes an exclusive lock. Removes the records; `prune` frees the space. */
  forget(ids: readonly string[], signal: AbortSignal): Promise<void>;
  /** Plans and, unless `onPlan` answers false, carries out the plan under one exclusive lock. */
  prune(
    policy: PrunePolicy,
    onPlan: (plan: PrunePlan) => boolean | Promise<boolean>,
    signal: AbortSignal,
  ): Promise<PrunePlan>;
  /** Takes a shared lock. Ends after the last finding; none means clean. */
  check(options: CheckOptions, signal: AbortSignal): AsyncIterable<Finding>;

  /**
   * Takes an exclusive lock. Makes the index tell of the packs that are there, and of no others. Needs no index that
   * can be read.
   */
  repairIndex(options: IndexRepairOptions, signal: AbortSignal): Promise<IndexRepair>;
  /**
   * Takes an exclusive lock. Moves what can still be read of these packs into new ones, and removes them.
   * @param ids whole ones
   * @throws RespaldoError `usage`, `store-missing` for a pack that nobody knows
   */
  repairPacks(ids: readonly string[], options: PackRepairOptions, signal: AbortSignal): Promise<PackRepair>;
  /**
   * Takes an exclusive lock. Makes new snapshots of damaged ones, without what is lost; they are tagged `incomplete`. A
   * record that cannot be read is removed if it is named, and `forget` asked for.
   * @throws RespaldoError `repository-damaged` where the index tells of packs that are missing or cut short
   */
  repairSnapshots(filter: SnapshotFilter, options: RewriteOptions, signal: AbortSignal): Promise<readonly Rewritten[]>;
  /**
   * Takes an exclusive lock to forget, else a shared one. Makes new snapshots of those that change; `original` is the id
   * of the one before.
   * @throws RespaldoError `usage` for a change of nothing, `repository-damaged`
   */
  rewrite(
    filter: SnapshotFilter,
    change: SnapshotChange,
    options: RewriteOptions,
    signal: AbortSignal,
  ): Promise<readonly Rewritten[]>;

  /** Those that apply. */
  migrations(): readonly Migration[];
  /**
   * Takes an exclusive lock, and checks the structure first. The repository is to be opened anew afterwards.
   * @throws RespaldoError `usage` for one that does not apply, `repository-damaged`
   */
  migrate(name: string, options: MigrateOptions, signal: AbortSignal): Promise<void>;

  /**
   * Compares two snapshots, or folders in them, in the order of names' bytes. What they share is not read twice.
   * @throws RespaldoError `path-missing`
   */
  diff(before: DiffSide, after: DiffSide, options: DiffOptions, signal: AbortSignal): Promise<Difference>;
  /** @throws RespaldoError `repository-damaged` if something cannot be counted */
  stats(snapshots: readonly Snapshot[], mode: StatsMode, signal: AbortSignal): Promise<StoredStats>;
  /**
   * Copies snapshots of another repository, with all that they need and this one lacks, sealed with this one's key.
   * Takes a shared lock in both. Those that were copied before are skipped; `original` keeps the first id.
   * @param filter of the source's snapshots
   */
  copyFrom(source: Repository, filter: SnapshotFilter, options: CopyOptions, signal: AbortSignal): Promise<CopySummary>;
  /**
   * Takes an exclusive lock. Replaces the records of the snapshots whose tags change; `original` keeps the first id.
   * @returns what was replaced
   */
  tag(filter: SnapshotFilter, change: TagChange, signal: AbortSignal): Promise<readonly Retagged[]>;

  /** What is stored of a type, in no order. */
  objects(type: StoredType, signal: AbortSignal): AsyncIterable<ListedObject>;
  /**
   * One object's JSON, verified and opened; a pack's bytes as they lie in the store, verified or not.
   * @param id or the beginning of one
   * @throws RespaldoError `store-missing`, `usage` for an ambiguous beginning
   */
  object(type: StoredType, id: string, signal: AbortSignal): Promise<ShownObject>;
  /** The JSON of the repository's config. */
  config(): Uint8Array;
  /** A blob's verified content. @param id or the beginning of one */
  blob(id: string, signal: AbortSignal): Promise<Uint8Array>;
  /** The JSON of a folder's tree. @throws RespaldoError `path-missing` */
  tree(snapshot: Snapshot, path: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Every blob that an index lists. */
  blobs(signal: AbortSignal): AsyncIterable<StoredBlob>;

  keys(signal: AbortSignal): Promise<readonly KeyInfo[]>;
  /** @returns the new key's id. */
  addKey(
    password: string,
    about: { readonly username: string; readonly hostname: string },
    signal: AbortSignal,
  ): Promise<string>;
  /** @throws RespaldoError `usage` for the key in use, or the last one. */
  removeKey(id: string, signal: AbortSignal): Promise<void>;
  /**
   * Adds a key for the new password, then removes the one in use.
   * @param about what is recorded otherwise than in the one in use
   * @returns the new key's id.
   */
  changePassword(
    password: string,
    about: { readonly username?: string; readonly hostname?: string },
    signal: AbortSignal,
  ): Promise<string>;

  locks(signal: AbortSignal): Promise<readonly LockInfo[]>;
  /** Removes stale locks, or all of them. @returns how many. */
  unlock(all: boolean, signal: AbortSignal): Promise<number>;

  /** Waits for the workers to end. */
  close(): Promise<void>;
}
