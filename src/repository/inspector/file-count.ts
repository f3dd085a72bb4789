import { RespaldoError, throwIfAborted } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import { hashId, type Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import type { StoredStats } from '../repository.ts';
import { TreeReader } from '../restorer/tree-reader.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { plainLength } from './blob-use.ts';

/**
 * Counts files by their content: each content once, wherever it lies. `blobs-per-file` counts, for each path where a
 * content was met first, the blobs that the path has not had yet.
 *
 * As in restic, what has no content (folders, links, empty files) is together one more file.
 */
export class FileCount {
  readonly #trees: TreeReader;
  readonly #index: BlobIndex;
  readonly #byBlob: boolean;
  readonly #signal: AbortSignal;
  readonly #seenTrees = new Set<Id>();
  readonly #seenContents = new Set<string>();
  readonly #blobsOfPath = new Map<string, Set<Id>>();
  readonly #total = { files: 0, blobs: 0, bytes: 0 };

  constructor(
    context: RepositoryContext,
    index: BlobIndex,
    mode: 'files-by-contents' | 'blobs-per-file',
    signal: AbortSignal,
  ) {
    this.#trees = new TreeReader(context, index);
    this.#index = index;
    this.#byBlob = mode === 'blobs-per-file';
    this.#signal = signal;
  }

  async of(trees: readonly Id[]): Promise<Omit<StoredStats, 'snapshots'>> {
    for (const tree of trees) await this.#visit(tree, '');
    return this.#total;
  }

  /** A tree that was met before holds no content that is new, at whatever path. */
  async #visit(tree: Id, folder: string): Promise<void> {
    if (this.#seenTrees.has(tree)) return;
    this.#seenTrees.add(tree);
    throwIfAborted(this.#signal);
    for (const node of await this.#trees.load(tree, this.#signal)) {
      const path = `${folder}/${node.name}`;
      this.#take(node, path);
      if (node.subtree !== undefined) await this.#visit(node.subtree, path);
    }
  }

  #take({ content = [], size }: Node, path: string): void {
    const key = content.length < 2 ? (content[0] ?? '') : hashId(Buffer.from(content.join(''), 'hex'));
    if (this.#seenContents.has(key)) return;
    this.#seenContents.add(key);
    if (this.#byBlob) this.#takeBlobs(content, path);
    else {
      this.#total.files += 1;
      this.#total.bytes += size;
    }
  }

  #takeBlobs(content: readonly Id[], path: string): void {
    if (content.length === 0) return;
    let known = this.#blobsOfPath.get(path);
    if (known === undefined) {
      this.#blobsOfPath.set(path, (known = new Set()));
      this.#total.files += 1;
    }
    for (const id of content) {
      if (known.has(id)) continue;
      known.add(id);
      this.#total.blobs += 1;
      this.#total.bytes += this.#lengthOf(id, path);
    }
  }

  #lengthOf(id: Id, path: string): number {
    const blob = this.#index.find('data', id);
    if (blob !== undefined) return plainLength(blob);
    throw new RespaldoError('repository-damaged', `${path}: data blob ${id} is in no index`, {
      hint: 'Run `respaldo check` to learn what else is missing.',
      context: { blob: id },
    });
  }
}
