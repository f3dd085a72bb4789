import type { ReadableSnapshot } from './snapshot.ts';
import { isBlock } from './block-size.ts';

/**
 * The blocks that a parent snapshot cut its files with. A file keeps its block until the next full, since another one
 * would make all of it new.
 */
export class ParentBlocks {
  readonly #parent: ReadableSnapshot | undefined;
  readonly #pageBytes: number;
  /** One folder is enough: an archive goes through them one by one. */
  #folder: { readonly path: string; readonly blocks: ReadonlyMap<string, number> } | undefined;

  constructor(parent: ReadableSnapshot | undefined, pageBytes: number) {
    this.#parent = parent;
    this.#pageBytes = pageBytes;
  }

  /** Undefined: the parent does not tell. */
  async blockOf(path: string): Promise<number | undefined> {
    if (this.#parent === undefined) return undefined;
    const cut = path.lastIndexOf('/');
    const folder = path.slice(0, cut);
    if (this.#folder?.path !== folder)
      this.#folder = { path: folder, blocks: await this.#blocksIn(this.#parent, folder) };
    return this.#folder.blocks.get(path.slice(cut + 1));
  }

  /** A file that fitted into one block does not show how large the block was. */
  async #blocksIn(parent: ReadableSnapshot, folder: string): Promise<ReadonlyMap<string, number>> {
    const blocks = new Map<string, number>();
    for (const { name, size, firstBlobLength = 0 } of await parent.list(folder))
      if (firstBlobLength < size && isBlock(firstBlobLength, this.#pageBytes)) blocks.set(name, firstBlobLength);
    return blocks;
  }
}
