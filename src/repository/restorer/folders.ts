import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';
import { syncFilesystem, syncPath } from '../filesystem/durable.ts';
import { fsPath, type LocalPath } from '../filesystem/path.ts';
import type { Node } from '../format/node.ts';
import type { Losses } from './losses.ts';
import { applyToPath, type Metadata, metadataOf } from './metadata.ts';
import type { Tally } from './tally.ts';
import { isFatal, reasonOf, targetError } from './target-error.ts';

/** A folder of the snapshot that is restored, or may have to be for what it holds. */
export class Folder {
  readonly parent: Folder | undefined;
  /** In the target, and within what is restored; both in the string form of `domain/name.ts`. */
  readonly path: string;
  readonly location: string;
  readonly metadata: Metadata | undefined;
  state: 'planned' | 'there' | 'refused' = 'planned';

  constructor(parent: Folder | undefined, path: string, location: string, metadata: Metadata | undefined) {
    this.parent = parent;
    this.path = path;
    this.location = location;
    this.metadata = metadata;
  }

  child(node: Node): Folder {
    return new Folder(this, `${this.path}/${node.name}`, `${this.location}/${node.name}`, metadataOf(node));
  }
}

export interface FolderOptions {
  /** Nothing has been here before this restore. */
  readonly fresh: boolean;
  /** Replace what is there and no folder. */
  readonly replace: boolean;
  readonly owners: boolean;
  readonly dryRun: boolean;
}

/** The folders of the target. Each is made, or found to be a real one, before anything is put into it. */
export class Folders {
  readonly root: Folder;
  readonly #options: FolderOptions;
  readonly #tally: Tally;
  readonly #losses: Losses;
  readonly #made: Folder[] = [];
  /** One folder of each file system met. */
  readonly #devices = new Map<bigint, string>();

  constructor(root: string, options: FolderOptions, tally: Tally, losses: Losses) {
    this.root = new Folder(undefined, root === '/' ? '' : root, '', undefined);
    this.root.state = 'there';
    this.#options = options;
    this.#tally = tally;
    this.#losses = losses;
    this.#devices.set(-1n, root);
  }

  /** Makes the folder and those above it. @returns false if it cannot be, which is told as a loss once. */
  ensure(folder: Folder): boolean {
    if (folder.state !== 'planned') return folder.state === 'there';
    if (folder.parent !== undefined && !this.ensure(folder.parent)) {
      folder.state = 'refused';
      return false;
    }
    this.#tally.found(0);
    const refusal = this.#options.dryRun ? undefined : this.#make(folder);
    folder.state = refusal === undefined ? 'there' : 'refused';
    if (refusal === undefined) this.#made.push(folder);
    else this.#losses.lose(folder.location, 'target', refusal);
    return refusal === undefined;
  }

  /** Sets the metadata of all folders, the innermost first: what is put into a folder changes its times. */
  finish(): void {
    for (const folder of this.#made.toReversed()) {
      this.#tally.restored(folder.location, 'restored');
      if (folder.metadata === undefined || this.#options.dryRun) continue;
      try {
        const problems = applyToPath(fsPath(folder.path), folder.metadata, this.#options.owners);
        for (const what of problems) this.#losses.blemish(folder.location, what);
      } catch (error) {
        throw targetError('finish the folder', folder.path, error);
      }
    }
  }

  /** Makes everything durable: file systems as a whole, or, where that cannot be, folder by folder. */
  sync(): void {
    try {
      if ([...this.#devices.values()].every((folder) => syncFilesystem(fsPath(folder)))) return;
      for (const folder of this.#made) syncPath(fsPath(folder.path));
      syncPath(fsPath(this.root.path || '/'));
    } catch (error) {
      throw targetError('sync', this.root.path, error);
    }
  }

  /** @returns in words why the folder cannot be made */
  #make(folder: Folder): string | undefined {
    const path = fsPath(folder.path);
    try {
      if (makeFolder(path)) return undefined;
      return this.#adopt(folder);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined || isFatal(errno)) throw targetError('make the folder', folder.path, error);
      return reasonOf(error);
    }
  }

  /** Something is there: a folder is used as it is; a symlink, even to a folder, is not one. */
  #adopt(folder: Folder): string | undefined {
    const path = fsPath(folder.path);
    const found = lstatSync(path, { bigint: true });
    if (found.isDirectory()) {
      this.#devices.set(found.dev, folder.path);
      // An earlier run may have finished it already, read-only as it was.
      const mode = Number(found.mode) & 0o7777;
      if (process.geteuid?.() !== 0 && (mode & 0o700) !== 0o700) chmodSync(path, mode | 0o700);
      return undefined;
    }
    if (this.#options.fresh || !this.#options.replace) return 'something that is no folder is in its place';
    unlinkSync(path);
    makeFolder(path);
    return undefined;
  }
}

/** @returns false if something is there already */
function makeFolder(path: LocalPath): boolean {
  try {
    mkdirSync(path, 0o700);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}
