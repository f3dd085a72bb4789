import { isError, type RespaldoError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import { BlobBits } from './blob-bits.ts';
import type { BlobIndex, Located } from './blob-index.ts';
import { BlobReader } from './blobs.ts';
import { readPackBlobs } from './pack-reader.ts';
import { inParallel } from './parallel.ts';

const PACKS_AT_ONCE = 4;

/** What a walk tells of each tree, once. */
export interface TreeVisitor {
  /**
   * @param content verified; not changed, and not kept
   * @returns the trees below it
   * @throws RespaldoError `repository-damaged` if it says nothing that can be understood
   */
  tree(id: Id, content: Uint8Array): Iterable<Id>;
  /** No index lists it. */
  missing(id: Id): void;
  /** None of its copies can be read. */
  damaged(place: Located, error: RespaldoError): void;
}

/**
 * Walks trees and everything below them, each tree once in the life of the walk, however many snapshots share it.
 * Trees are read pack by pack as they become known, not one by one: their order means nothing.
 */
export class TreeWalk {
  readonly #context: RepositoryContext;
  readonly #index: BlobIndex;
  readonly #visitor: TreeVisitor;
  readonly #reader: BlobReader;
  /** By the first row of each blob. */
  readonly #seen: BlobBits;
  readonly #missing = new Set<Id>();
  #waiting = new Map<Id, Located[]>();

  constructor(context: RepositoryContext, index: BlobIndex, visitor: TreeVisitor) {
    this.#context = context;
    this.#index = index;
    this.#visitor = visitor;
    this.#reader = new BlobReader(context, index);
    this.#seen = new BlobBits(index.size);
  }

  /** Visits these trees and all below them that were not visited before. */
  async visit(roots: Iterable<Id>, signal: AbortSignal): Promise<void> {
    for (const root of roots) this.#await(root);
    while (this.#waiting.size > 0) {
      const packs = this.#waiting;
      this.#waiting = new Map();
      for await (const _ of inParallel(packs, PACKS_AT_ONCE, ([pack, trees]) => this.#readPack(pack, trees, signal)));
    }
  }

  #await(id: Id): void {
    const row = this.#index.rowOf('tree', id);
    if (row < 0) {
      if (!this.#missing.has(id)) this.#visitor.missing(id);
      this.#missing.add(id);
      return;
    }
    if (!this.#seen.add(row)) return;
    const place = this.#index.at(row);
    const inPack = this.#waiting.get(place.pack);
    if (inPack === undefined) this.#waiting.set(place.pack, [place]);
    else inPack.push(place);
  }

  async #readPack(pack: Id, trees: readonly Located[], signal: AbortSignal): Promise<void> {
    const { nearby, sealer } = this.#context;
    for await (const { blob, content } of readPackBlobs(nearby, sealer, pack, trees, signal)) {
      if (content instanceof Uint8Array) this.#take(blob, content);
      else await this.#tryOtherCopies(blob, signal);
    }
  }

  async #tryOtherCopies(place: Located, signal: AbortSignal): Promise<void> {
    try {
      this.#take(place, await this.#reader.load('tree', place.id, signal));
    } catch (error) {
      if (!isError(error, 'repository-damaged')) throw error;
      this.#visitor.damaged(place, error);
    }
  }

  #take(place: Located, content: Uint8Array): void {
    let subtrees: Iterable<Id>;
    try {
      subtrees = this.#visitor.tree(place.id, content);
    } catch (error) {
      if (!isError(error, 'repository-damaged')) throw error;
      this.#visitor.damaged(place, error);
      return;
    }
    for (const subtree of subtrees) this.#await(subtree);
  }
}
