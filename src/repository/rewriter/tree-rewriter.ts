import { isError, RespaldoError, throwIfAborted } from '../../errors.ts';
import { showPath } from '../filesystem/path.ts';
import { hashId, type Id } from '../format/id.ts';
import { encodeNode, type Node } from '../format/node.ts';
import { encodeTree, parseTree } from '../format/tree.ts';
import type { BlobIndex } from '../storage/blob-index.ts';
import type { BlobWriter } from '../storage/blob-writer.ts';
import type { BlobReader } from '../storage/blobs.ts';

/** What becomes of the entries of trees. */
export interface TreeRules {
  /** The entry as it is, another one, or undefined where it goes. Asked for a folder before what lies in it. */
  entry(node: Node, path: string): Node | undefined;
  /** Of a folder whose tree cannot be read: what it holds instead, or undefined where that is no way out. */
  unreadable(path: string, error: RespaldoError): readonly Node[] | undefined;
  /** Told of everything that stays, an entry's last form. */
  kept?(node: Node): void;
  /** The rules ask for no path: equal trees become equal trees. */
  readonly pathless: boolean;
  /** Leave a tree alone that cannot be written without losing what is in it: fields that we do not know. */
  readonly lossless: boolean;
}

/** Where new trees go. */
export interface TreeTarget {
  readonly reader: BlobReader;
  readonly index: BlobIndex;
  /** Absent in a dry run. */
  readonly writer: BlobWriter | undefined;
  readonly signal: AbortSignal;
}

/** Makes new trees out of old ones. Trees in which nothing changes keep their ids, however they are written. */
export class TreeRewriter {
  readonly #rules: TreeRules;
  readonly #target: TreeTarget;
  readonly #done = new Map<Id, Id>();
  readonly #written = new Set<Id>();

  constructor(rules: TreeRules, target: TreeTarget) {
    this.#rules = rules;
    this.#target = target;
  }

  /**
   * The new tree's id; undefined if the tree cannot be read and nothing stands in for it.
   * @param path of the folder: `/`, or without a slash at its end
   * @throws RespaldoError `repository-unsupported` for a tree that would lose something
   */
  async rewrite(tree: Id | undefined, path = '/'): Promise<Id | undefined> {
    const known = tree === undefined ? undefined : this.#done.get(tree);
    if (known !== undefined) return known;
    const read = await this.#read(tree, path);
    if (read === undefined) return undefined;
    let changed = read.bytes === undefined;
    const nodes: Node[] = [];
    for (const node of read.nodes) {
      const after = await this.#entry(node, path === '/' ? `/${node.name}` : `${path}/${node.name}`);
      changed ||= after !== node;
      if (after !== undefined) nodes.push(after);
    }
    const id = changed || tree === undefined ? await this.#write(nodes, read, path) : tree;
    if (this.#rules.pathless && tree !== undefined) this.#done.set(tree, id);
    return id;
  }

  async #entry(node: Node, path: string): Promise<Node | undefined> {
    throwIfAborted(this.#target.signal);
    const after = this.#rules.entry(node, path);
    if (after === undefined) return undefined;
    this.#rules.kept?.(after);
    if (after.type !== 'dir') return after;
    const subtree = await this.rewrite(after.subtree, path);
    if (subtree === undefined) return undefined;
    return subtree === after.subtree ? after : { ...after, subtree };
  }

  async #read(tree: Id | undefined, path: string): Promise<ReadTree | undefined> {
    const { reader, signal } = this.#target;
    try {
      if (tree === undefined) throw new RespaldoError('repository-damaged', `the folder ${showPath(path)} has no tree`);
      const bytes = await reader.load('tree', tree, signal);
      return { bytes, nodes: parseTree(bytes) };
    } catch (error) {
      if (!isError(error, 'repository-damaged')) throw error;
      const nodes = this.#rules.unreadable(path, error);
      return nodes === undefined ? undefined : { bytes: undefined, nodes };
    }
  }

  async #write(nodes: readonly Node[], { bytes, nodes: before }: ReadTree, path: string): Promise<Id> {
    if (bytes !== undefined && this.#rules.lossless && Buffer.compare(bytes, encode(before)) !== 0) throw lossy(path);
    const plain = encode(nodes);
    const id = hashId(plain);
    if (this.#written.has(id) || (await this.#isReadable(id))) return id;
    await this.#target.writer?.add('tree', id, plain);
    this.#written.add(id);
    return id;
  }

  /** A tree that an index tells of may be one of those that are damaged: then it is stored once more. */
  async #isReadable(tree: Id): Promise<boolean> {
    const { index, reader, signal } = this.#target;
    if (!index.has('tree', tree)) return false;
    try {
      await reader.load('tree', tree, signal);
      return true;
    } catch (error) {
      if (isError(error, 'repository-damaged')) return false;
      throw error;
    }
  }
}

interface ReadTree {
  /** Absent where something stands in for what could not be read. */
  readonly bytes: Uint8Array | undefined;
  readonly nodes: readonly Node[];
}

function encode(nodes: readonly Node[]): Uint8Array {
  return encodeTree(nodes.map(encodeNode));
}

function lossy(path: string): RespaldoError {
  return new RespaldoError(
    'repository-unsupported',
    `the folder ${showPath(path)} holds what this version cannot write again without losing some of it`,
    { hint: 'A newer Respaldo may know how. The snapshot stays as it is.' },
  );
}
