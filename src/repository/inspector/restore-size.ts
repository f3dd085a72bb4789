import { throwIfAborted } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import type { StoredStats } from '../repository.ts';
import { TreeReader } from '../restorer/tree-reader.ts';
import type { BlobIndex } from '../storage/blob-index.ts';

/** A file with several names: its bytes count once in a snapshot. */
interface Linked {
  readonly file: string;
  readonly size: number;
}

/** What restoring a tree brings, files with several names apart. */
interface Sum {
  readonly entries: number;
  readonly bytes: number;
  readonly linked: readonly Linked[];
  /** The sums of folders that hold files with several names. */
  readonly below: readonly Sum[];
}

/** Bytes and entries that a restore of each snapshot would write. Each tree is read once, however many share it. */
export class RestoreSize {
  readonly #trees: TreeReader;
  readonly #signal: AbortSignal;
  readonly #sums = new Map<Id, Sum>();

  constructor(context: RepositoryContext, index: BlobIndex, signal: AbortSignal) {
    this.#trees = new TreeReader(context, index);
    this.#signal = signal;
  }

  async of(trees: readonly Id[]): Promise<Omit<StoredStats, 'snapshots'>> {
    const total = { files: 0, bytes: 0, blobs: 0 };
    for (const tree of trees) {
      const sum = await this.#sumOf(tree);
      total.files += sum.entries;
      total.bytes += sum.bytes + linkedBytes(sum);
    }
    return total;
  }

  async #sumOf(tree: Id): Promise<Sum> {
    const known = this.#sums.get(tree);
    if (known !== undefined) return known;
    throwIfAborted(this.#signal);
    let [entries, bytes] = [0, 0];
    const linked: Linked[] = [];
    const below: Sum[] = [];
    for (const node of await this.#trees.load(tree, this.#signal)) {
      entries += 1;
      if (hasOneName(node)) bytes += node.size;
      else linked.push({ file: `${String(node.deviceId ?? 0n)} ${String(node.inode)}`, size: node.size });
      if (node.subtree === undefined) continue;
      const sum = await this.#sumOf(node.subtree);
      entries += sum.entries;
      bytes += sum.bytes;
      if (sum.linked.length > 0 || sum.below.length > 0) below.push(sum);
    }
    const sum = { entries, bytes, linked, below };
    this.#sums.set(tree, sum);
    return sum;
  }
}

function hasOneName({ links, type, inode = 0n }: Node): boolean {
  return links === 1 || type === 'dir' || inode === 0n;
}

function linkedBytes(root: Sum): number {
  const seen = new Set<string>();
  let bytes = 0;
  const waiting = [root];
  for (let sum = waiting.pop(); sum !== undefined; sum = waiting.pop()) {
    for (const { file, size } of sum.linked) {
      if (!seen.has(file)) bytes += size;
      seen.add(file);
    }
    waiting.push(...sum.below);
  }
  return bytes;
}
