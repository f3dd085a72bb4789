/** Removes from the target what the selection covers and the snapshot does not hold. */
import { errnoOf, isError, throwIfAborted } from '../../errors.ts';
import { fsPath } from '../filesystem/path.ts';
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import { lookAt } from './existing.ts';
import type { Losses } from './losses.ts';
import { namesIn, type Removal } from './removal.ts';
import type { Select } from './selection.ts';
import { ALWAYS_THERE } from './target.ts';
import { isFatal, reasonOf, targetError } from './target-error.ts';
import type { LoadTree } from './tree-path.ts';

export interface DeletionParts {
  readonly load: LoadTree;
  readonly select: Select;
  readonly losses: Losses;
  readonly removal: Removal;
  readonly signal: AbortSignal;
}

interface Place {
  /** In the target, and within what is restored. Both without a slash at the end, so that the root's are empty. */
  readonly path: string;
  readonly location: string;
}

/**
 * As restic: in every folder that was restored, or something below it, and never in what was not selected. A folder
 * whose list in the snapshot is damaged is left alone, and so is what is no real folder in the target: symlinks are
 * removed, never followed.
 */
export class Deletion {
  readonly #parts: DeletionParts;

  constructor(parts: DeletionParts) {
    this.#parts = parts;
  }

  /** @param root the target's folder */
  async run(root: string, tree: Id): Promise<void> {
    await this.#folder({ path: root === '/' ? '' : root, location: '' }, tree, false);
  }

  /** @returns whether the folder itself, or something in it, was selected */
  async #folder(place: Place, tree: Id, selected: boolean): Promise<boolean> {
    const { signal } = this.#parts;
    throwIfAborted(signal);
    const nodes = await this.#nodes(tree);
    if (nodes === undefined) return selected;
    const expected = new Set<string>();
    let touched = selected;
    for (const node of nodes) {
      expected.add(node.name);
      touched = (await this.#below(place, node)) || touched;
    }
    if (touched && lookAt(fsPath(place.path || '/'))?.isDirectory() === true) this.#clean(place, expected);
    return touched;
  }

  async #below(place: Place, node: Node): Promise<boolean> {
    if (node.type === 'socket') return false;
    const child = { path: `${place.path}/${node.name}`, location: `${place.location}/${node.name}` };
    const { selected, below } = this.#parts.select(child.location, node.type === 'dir');
    if (!below || node.subtree === undefined) return selected;
    // What is a symlink, or missing, in the target has nothing in it that is ours to look at.
    if (lookAt(fsPath(child.path))?.isDirectory() !== true) return selected;
    return this.#folder(child, node.subtree, selected);
  }

  /** All of them, or undefined if some are unknown: the restore has told of that. */
  async #nodes(tree: Id): Promise<readonly Node[] | undefined> {
    try {
      return [...(await this.#parts.load(tree, this.#parts.signal))];
    } catch (error) {
      if (!isError(error, 'repository-damaged')) throw error;
      return undefined;
    }
  }

  #clean(place: Place, expected: ReadonlySet<string>): void {
    for (const name of namesIn(place.path || '/')) {
      if (expected.has(name) || (place.location === '' && ALWAYS_THERE.has(name))) continue;
      const path = `${place.path}/${name}`;
      const location = `${place.location}/${name}`;
      if (!this.#parts.select(location, false).selected) continue;
      try {
        const found = lookAt(fsPath(path));
        if (found !== undefined) this.#parts.removal.remove(path, location, found);
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === undefined || isFatal(errno)) throw targetError('delete', path, error);
        this.#parts.losses.lose(location, 'target', `it is not in the snapshot, and not deleted: ${reasonOf(error)}`);
      }
    }
  }
}
