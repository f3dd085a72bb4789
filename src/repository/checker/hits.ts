/** Which snapshots suffer from what was lost. */
import type { Finding } from '../../domain/finding.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { isError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import { showPath } from '../filesystem/path.ts';
import type { Id } from '../format/id.ts';
import { type Node } from '../format/node.ts';
import { parseTree } from '../format/tree.ts';
import { BlobBits } from '../storage/blob-bits.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { BlobReader } from '../storage/blobs.ts';
import * as found from './findings.ts';
import type { Losses } from './losses.ts';

/** One finding for each snapshot that cannot be restored whole, with the first path that is hit. */
export async function* findHits(
  context: RepositoryContext,
  index: BlobIndex,
  snapshots: readonly Snapshot[],
  losses: Losses,
  signal: AbortSignal,
): AsyncGenerator<Finding, void, undefined> {
  const search = new HitSearch(context, index, losses, signal);
  for (const snapshot of snapshots) {
    const path = await search.firstHit(snapshot.tree);
    if (path !== undefined) yield found.snapshotHit(snapshot, showPath(path === '' ? '/' : path));
  }
}

class HitSearch {
  readonly #index: BlobIndex;
  readonly #losses: Losses;
  readonly #reader: BlobReader;
  readonly #signal: AbortSignal;
  /** Trees that are whole, with everything below: by their first row. */
  readonly #whole: BlobBits;
  /** Path of the first hit below a tree, seen from there. */
  readonly #hits = new Map<Id, string>();

  constructor(context: RepositoryContext, index: BlobIndex, losses: Losses, signal: AbortSignal) {
    this.#index = index;
    this.#losses = losses;
    this.#reader = new BlobReader(context, index);
    this.#signal = signal;
    this.#whole = new BlobBits(index.size);
  }

  /** `''`: the tree itself. Undefined: nothing below is lost. */
  async firstHit(tree: Id): Promise<string | undefined> {
    const row = this.#index.rowOf('tree', tree);
    if (row >= 0 && this.#whole.has(row)) return undefined;
    const known = this.#hits.get(tree);
    if (known !== undefined) return known;
    const hit = await this.#search(tree);
    if (hit === undefined) this.#whole.add(row);
    else this.#hits.set(tree, hit);
    return hit;
  }

  async #search(tree: Id): Promise<string | undefined> {
    const nodes = await this.#read(tree);
    if (nodes === undefined) return '';
    for (const { name, content = [], subtree } of nodes) {
      if (content.some((id) => this.#losses.isLost('data', id))) return `/${name}`;
      const below = subtree === undefined ? undefined : await this.firstHit(subtree);
      if (below !== undefined) return `/${name}${below}`;
    }
    return undefined;
  }

  async #read(tree: Id): Promise<readonly Node[] | undefined> {
    if (this.#losses.isLost('tree', tree)) return undefined;
    try {
      return parseTree(await this.#reader.load('tree', tree, this.#signal));
    } catch (error) {
      if (isError(error, 'repository-damaged')) return undefined;
      throw error;
    }
  }
}
