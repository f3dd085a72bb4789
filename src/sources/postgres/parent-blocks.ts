import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import { isBlock } from './block-size.ts';

/**
 * The blocks that a parent snapshot cut its files with. A file keeps its block until the next full, since another one
 * would make all of it new.
 */
export class ParentBlocks {
  readonly #parent: ReadableSnapshot | undefined;
  readonly #pageBytes: number;
  /** One folder is enough: an archive goes through them one by one. */
  #folder: { readonly path: string; readonly sizes: ReadonlyMap<string, number> } | undefined;

  constructor(parent: ReadableSnapshot | undefined, pageBytes: number) {
    this.#parent = parent;
    this.#pageBytes = pageBytes;
  }

  /** Undefined: the parent does not tell. A file that fitted into one block does not show how large the block was. */
  async blockOf(path: string): Promise<number | undefined> {
    if (this.#parent === undefined) return undefined;
    const size = await this.#sizeOf(this.#parent, path);
    if (size === undefined) return undefined;
    const first = await this.#parent.firstBlobLength(path);
    return first !== undefined && first < size && isBlock(first, this.#pageBytes) ? first : undefined;
  }

  async #sizeOf(parent: ReadableSnapshot, path: string): Promise<number | undefined> {
    const cut = path.lastIndexOf('/');
    const folder = path.slice(0, cut);
    if (this.#folder?.path !== folder) {
      const files = (await parent.list(folder)).filter(({ kind }) => kind === 'file');
      this.#folder = { path: folder, sizes: new Map(files.map(({ name, size }) => [name, size])) };
    }
    return this.#folder.sizes.get(path.slice(cut + 1));
  }
}
