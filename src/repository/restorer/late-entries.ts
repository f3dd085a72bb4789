/** What is made after all folders and files: hard links, special files and, last, symlinks. */
import { type BigIntStats, linkSync, readlinkSync, symlinkSync } from 'node:fs';
import { decodeName } from '../../domain/name.ts';
import { errnoOf } from '../../errors.ts';
import { fsPath, showPath } from '../filesystem/path.ts';
import { makeSpecial } from '../filesystem/special.ts';
import type { OverwritePolicy } from '../repository.ts';
import { clear, lookAt } from './existing.ts';
import type { Losses } from './losses.ts';
import { applyToPath, type Metadata } from './metadata.ts';
import { givesWay } from './policy.ts';
import type { Removal } from './removal.ts';
import type { Tally } from './tally.ts';
import { isFatal, reasonOf, targetError } from './target-error.ts';
import type { TargetState } from './target.ts';

/** Paths in the string form of `domain/name.ts`. */
export interface LateEntry {
  readonly location: string;
  readonly path: string;
  readonly metadata: Metadata;
  readonly make:
    | { readonly kind: 'link'; readonly first: string; readonly firstLocation: string }
    | { readonly kind: 'symlink'; readonly target: string }
    | { readonly kind: 'fifo' }
    | { readonly kind: 'dev' | 'chardev'; readonly device: bigint };
}

export interface LateParts {
  readonly tally: Tally;
  readonly losses: Losses;
  readonly state: TargetState;
  readonly overwrite: OverwritePolicy | undefined;
  readonly owners: boolean;
  readonly dryRun: boolean;
  /** If what the snapshot does not hold is deleted, also from a folder in the place of something else. */
  readonly removal?: Removal;
  /** Collects other names of files that are not this restore's. */
  readonly untouched?: Set<string>;
}

/**
 * Symlinks come last of all, so that nothing that is restored can be led through one, whatever names a snapshot holds
 * and however the file system compares them.
 */
export function makeLateEntries(entries: readonly LateEntry[], parts: LateParts): void {
  for (const entry of entries) if (entry.make.kind !== 'symlink') makeOrTell(entry, parts);
  for (const entry of entries) if (entry.make.kind === 'symlink') makeOrTell(entry, parts);
}

function makeOrTell(entry: LateEntry, parts: LateParts): void {
  const { make, location } = entry;
  const cause = make.kind === 'link' ? parts.losses.causeOf(make.firstLocation) : undefined;
  if (make.kind === 'link' && cause !== undefined) {
    const why = `it is a hard link to ${showPath(make.firstLocation)}, which could not be restored`;
    parts.losses.lose(location, cause, why);
    return;
  }
  try {
    settle(entry, parts);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined || isFatal(errno)) throw targetError('make', entry.path, error);
    // Devices need a privilege that a restore of somebody's files should not need.
    if (errno === 'EPERM' && isDevice(make.kind) && process.geteuid?.() !== 0)
      parts.losses.note(location, 'device-skipped', 'devices can be restored by root only');
    else parts.losses.lose(location, 'target', reasonOf(error));
  }
}

function isDevice(kind: LateEntry['make']['kind']): boolean {
  return kind === 'dev' || kind === 'chardev';
}

function settle(entry: LateEntry, parts: LateParts): void {
  const { state, overwrite, dryRun, owners, tally, losses, removal, untouched } = parts;
  const path = fsPath(entry.path);
  const existing = state === 'fresh' ? undefined : lookAt(path);
  if (existing !== undefined && !givesWay(overwrite, existing, entry.metadata.mtimeNs)) {
    tally.skipped(entry.location, 0);
    untouched?.add(entry.location);
    return;
  }
  const isThere = existing !== undefined && isSame(entry, existing);
  if (existing?.isDirectory() === true) removal?.empty(entry.path, entry.location, existing);
  if (!dryRun) {
    if (existing !== undefined && !isThere) clear(path, existing);
    if (!isThere) create(entry);
    if (entry.make.kind !== 'link')
      for (const what of applyToPath(path, entry.metadata, owners)) losses.blemish(entry.location, what);
  }
  if (isThere) {
    tally.skipped(entry.location, 0);
    untouched?.add(entry.location);
  } else tally.restored(entry.location, 'restored');
}

function create({ path, make }: LateEntry): void {
  switch (make.kind) {
    case 'link':
      linkSync(fsPath(make.first), fsPath(path));
      return;
    case 'symlink':
      symlinkSync(fsPath(make.target), fsPath(path));
      return;
    case 'fifo':
      makeSpecial(fsPath(path), 'fifo', 0n);
      return;
    case 'dev':
    case 'chardev':
      makeSpecial(fsPath(path), make.kind, make.device);
  }
}

/** Something with other names is not ours: its metadata must not be changed either. */
function isSame({ path, make }: LateEntry, existing: BigIntStats): boolean {
  if (make.kind !== 'link' && existing.nlink > 1n) return false;
  switch (make.kind) {
    case 'link': {
      const first = lookAt(fsPath(make.first));
      return first !== undefined && first.ino === existing.ino && first.dev === existing.dev;
    }
    case 'symlink':
      return (
        existing.isSymbolicLink() && decodeName(readlinkSync(fsPath(path), { encoding: 'buffer' })) === make.target
      );
    case 'fifo':
      return existing.isFIFO();
    case 'dev':
      return existing.isBlockDevice() && existing.rdev === make.device;
    case 'chardev':
      return existing.isCharacterDevice() && existing.rdev === make.device;
  }
}
