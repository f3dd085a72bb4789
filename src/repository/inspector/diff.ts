import { compareNames } from '../../domain/name.ts';
import { throwIfAborted } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import type { DiffOptions, DiffSide, Difference, DiffTally } from '../repository.ts';
import { findTree } from '../restorer/tree-path.ts';
import { parseTree } from '../format/tree.ts';
import { TreeReader } from '../restorer/tree-reader.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import { TreeWalk } from '../storage/tree-walk.ts';
import { BlobUse, plainLength } from './blob-use.ts';
import { isSameContent, isSameNode } from './same-node.ts';

/** See {@link Repository.diff}. */
export async function diff(
  context: RepositoryContext,
  before: DiffSide,
  after: DiffSide,
  options: DiffOptions,
  signal: AbortSignal,
): Promise<Difference> {
  const index = await context.loadIndex(signal);
  const comparison = new Comparison(context, index, options, signal);
  return comparison.run(before, after);
}

type Entries = Pick<DiffTally, 'files' | 'dirs' | 'others'>;
type Sign = '+' | '-';

/** One comparison of two trees, with what it has counted so far. */
class Comparison {
  readonly #context: RepositoryContext;
  readonly #index: BlobIndex;
  readonly #trees: TreeReader;
  readonly #options: DiffOptions;
  readonly #signal: AbortSignal;
  readonly #blobs: Readonly<Record<Sign | 'common', BlobUse>>;
  readonly #entries: Readonly<Record<Sign, { -readonly [K in keyof Entries]: number }>> = {
    '+': { files: 0, dirs: 0, others: 0 },
    '-': { files: 0, dirs: 0, others: 0 },
  };
  /** Trees that both sides have at the same place: their content is not compared. */
  readonly #shared = new Set<Id>();
  #changedFiles = 0;

  constructor(context: RepositoryContext, index: BlobIndex, options: DiffOptions, signal: AbortSignal) {
    this.#context = context;
    this.#index = index;
    this.#trees = new TreeReader(context, index);
    this.#options = options;
    this.#signal = signal;
    this.#blobs = { '+': new BlobUse(index), '-': new BlobUse(index), common: new BlobUse(index) };
  }

  async run(before: DiffSide, after: DiffSide): Promise<Difference> {
    const [from, to] = [await this.#rootOf(before), await this.#rootOf(after)];
    this.#blobs['-'].add('tree', from);
    this.#blobs['+'].add('tree', to);
    if (from === to) this.#shared.add(from);
    else await this.#compare('/', from, to);
    await this.#collectShared();
    return { changedFiles: this.#changedFiles, added: this.#tally('+', '-'), removed: this.#tally('-', '+') };
  }

  #rootOf({ snapshot, path = '/' }: DiffSide): Promise<Id> {
    return findTree((id) => this.#load(id), snapshot.tree, path, this.#signal);
  }

  #load(id: Id): Promise<Node[]> {
    throwIfAborted(this.#signal);
    return this.#trees.load(id, this.#signal);
  }

  /** @param folder ends in a slash */
  async #compare(folder: string, from: Id, to: Id): Promise<void> {
    for (const [before, after] of pairs(await this.#load(from), await this.#load(to))) {
      if (before !== undefined) this.#blobs['-'].addNode(before);
      if (after !== undefined) this.#blobs['+'].addNode(after);
      if (before !== undefined && after !== undefined) await this.#comparePair(folder, before, after);
      else if (before !== undefined) await this.#tell('-', folder, before);
      else if (after !== undefined) await this.#tell('+', folder, after);
    }
  }

  async #comparePair(folder: string, before: Node, after: Node): Promise<void> {
    const path = pathOf(folder, after);
    const modifier = this.#modifierOf(before, after);
    if (modifier.includes('M')) this.#changedFiles += 1;
    if (modifier !== '') this.#options.onChange({ path, modifier });
    if (before.subtree === undefined || after.subtree === undefined) return;
    if (before.subtree === after.subtree) this.#shared.add(before.subtree);
    else await this.#compare(path, before.subtree, after.subtree);
  }

  /** restic's letters, in its order; `?` where nothing but the content changed: the disk may have. */
  #modifierOf(before: Node, after: Node): string {
    const type = before.type === after.type ? '' : 'T';
    const areFiles = before.type === 'file' && after.type === 'file';
    if (areFiles && !isSameContent(before.content, after.content)) {
      const content = { content: [] };
      return `${type}M${isSameNode({ ...before, ...content }, { ...after, ...content }) ? '?' : ''}`;
    }
    return type + (this.#options.metadata && !isSameNode(before, after) ? 'U' : '');
  }

  /** What is on one side alone, and everything below it. */
  async #tell(sign: Sign, folder: string, node: Node): Promise<void> {
    const path = pathOf(folder, node);
    this.#options.onChange({ path, modifier: sign });
    this.#entries[sign][kindOf(node)] += 1;
    if (node.subtree === undefined) return;
    for (const child of await this.#load(node.subtree)) {
      this.#blobs[sign].addNode(child);
      await this.#tell(sign, path, child);
    }
  }

  /** What shared trees hold is neither new nor gone, wherever else it turned up. */
  async #collectShared(): Promise<void> {
    const { common } = this.#blobs;
    const walk = new TreeWalk(this.#context, this.#index, {
      tree: (_, content) => {
        const nodes = parseTree(content);
        for (const node of nodes) common.addNode(node);
        return nodes.flatMap(({ subtree }) => subtree ?? []);
      },
      missing: () => undefined,
      damaged: (_, error) => {
        throw error;
      },
    });
    await walk.visit(this.#shared, this.#signal);
  }

  #tally(sign: Sign, other: Sign): DiffTally {
    let [dataBlobs, treeBlobs, bytes] = [0, 0, 0];
    for (const blob of this.#blobs[sign].without(this.#blobs[other], this.#blobs.common)) {
      if (blob.type === 'data') dataBlobs += 1;
      else treeBlobs += 1;
      bytes += plainLength(blob);
    }
    return { ...this.#entries[sign], dataBlobs, treeBlobs, bytes };
  }
}

/** Nodes of the same name side by side. Both lists are in the order of their names' bytes. */
function* pairs(before: readonly Node[], after: readonly Node[]): Generator<[Node | undefined, Node | undefined]> {
  for (let [i, j] = [0, 0]; i < before.length || j < after.length;) {
    const [a, b] = [before[i], after[j]];
    const order = a === undefined ? 1 : b === undefined ? -1 : compareNames(a.name, b.name);
    yield [order <= 0 ? a : undefined, order >= 0 ? b : undefined];
    if (order <= 0) i += 1;
    if (order >= 0) j += 1;
  }
}

function pathOf(folder: string, { name, type }: Node): string {
  return `${folder}${name}${type === 'dir' ? '/' : ''}`;
}

function kindOf({ type }: Node): keyof Entries {
  if (type === 'file') return 'files';
  return type === 'dir' ? 'dirs' : 'others';
}
