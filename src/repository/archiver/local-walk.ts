/** Saves folders of this machine: workers read the directories, this walks the tree and completes it upwards. */
import { readdirSync, type BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { posix } from 'node:path';
import type { LocalTree } from '../../domain/entry.ts';
import { compareNames, decodeName } from '../../domain/name.ts';
import { RespaldoError } from '../../errors.ts';
import { fsPath, showPath } from '../filesystem/path.ts';
import type { Id } from '../format/id.ts';
import { encodeNode, type Node } from '../format/node.ts';
import { encodeTree, joinTree } from '../format/tree.ts';
import { Accounts } from './accounts.ts';
import { DirectoryQueue } from './directory-queue.ts';
import { SLICE } from './directory-reader.ts';
import { unreadable } from './entry-findings.ts';
import { mapBounded } from './gate.ts';
import { LargeFiles } from './large-file.ts';
import { kindOf, localNode } from './local-node.ts';
import { isUnchanged } from './parent-tree.ts';
import type { DirectoryAnswer, ListingAnswer, OpenNode, ParentTree } from './protocol.ts';
import type { Saving } from './saving.ts';
import { Selector } from './selector.ts';
import { isNameless, planTargets, type TargetFolder } from './targets.ts';

/** Subdirectories of one directory that are walked at once. */
const SIBLINGS = 64;

export class LocalWalk {
  readonly #saving: Saving;
  readonly #tree: LocalTree;
  readonly #number: number;
  readonly #selector: Selector;
  readonly #accounts = new Accounts();
  readonly #queue: DirectoryQueue;
  readonly #largeFiles: LargeFiles;

  /** `number` tells this walk's selection from those of others in the same save. */
  constructor(saving: Saving, tree: LocalTree, number: number) {
    this.#saving = saving;
    this.#tree = tree;
    this.#number = number;
    this.#selector = new Selector(tree.selection);
    this.#queue = new DirectoryQueue(saving.crew);
    this.#largeFiles = new LargeFiles(saving, this.#accounts);
  }

  /** @returns the nodes at the top of the snapshot, with everything below them stored. */
  async save(parentRoot: Id | undefined): Promise<readonly Node[]> {
    await this.#saving.crew.all({ kind: 'selection', number: this.#number, selection: this.#tree.selection });
    return this.#children(planTargets(this.#expand(), this.#tree.workingDirectory), parentRoot);
  }

  /** Targets without a name of their own are replaced by what they contain. */
  #expand(): string[] {
    return this.#tree.targets.flatMap((target) => {
      if (!isNameless(target)) return [target];
      const folder = posix.resolve(this.#tree.workingDirectory, target);
      const names = readdirSync(fsPath(folder), { encoding: 'buffer' }).map(decodeName);
      return names
        .map((name) => posix.join(target, name))
        .filter((path) => !this.#selector.excludes(posix.resolve(this.#tree.workingDirectory, path)));
    });
  }

  async #children(folder: TargetFolder, parent: Id | undefined): Promise<Node[]> {
    const previous = await this.#saving.parents.nodes(parent);
    const nodes: Node[] = [];
    for (const name of [...folder.children.keys()].sort(compareNames)) {
      const child = folder.children.get(name);
      if (child === undefined) continue;
      const before = previous.get(name);
      const node =
        child.kind === 'leaf' ? await this.#target(name, child.local, before) : await this.#chain(name, child, before);
      if (node !== undefined) nodes.push(node);
    }
    return nodes;
  }

  /** A folder above the targets; left out where none of them could be read. */
  async #chain(name: string, folder: TargetFolder, before: Node | undefined): Promise<Node | undefined> {
    const stats = await this.#look(folder.local);
    if (stats === undefined) return undefined;
    const children = await this.#children(folder, before?.subtree);
    if (children.length === 0) return undefined;
    const subtree = await this.#saving.trees.put(encodeTree(children.map(encodeNode)));
    this.#saving.tally.directory(subtree, before?.subtree);
    return { ...localNode(name, folder.local, stats, this.#accounts), type: 'dir', subtree };
  }

  /** What the user named: it must be there, or the snapshot is incomplete. */
  async #target(name: string, local: string, before: Node | undefined): Promise<Node | undefined> {
    const stats = await this.#look(local);
    if (stats === undefined || kindOf(stats) === 'socket') return undefined;
    const node = this.#guarded(local, 'file', () => localNode(name, local, stats, this.#accounts));
    if (node === undefined) return undefined;
    if (node.type === 'dir') {
      const subtree = await this.#directory(local, stats.dev, before?.subtree);
      return subtree === undefined ? undefined : { ...node, subtree };
    }
    if (node.type !== 'file') return node;
    if (before !== undefined && isUnchanged(stats, before) && this.#saving.parents.holdsAll(before.content)) {
      this.#saving.tally.file('unmodified', node.size);
      return { ...node, content: before.content ?? [] };
    }
    return this.#largeFiles.save({ node, local, isKnown: before?.type === 'file' });
  }

  async #look(local: string): Promise<BigIntStats | undefined> {
    try {
      return await lstat(fsPath(local), { bigint: true });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const subject = showPath(local);
      this.#saving.report({
        severity: 'incomplete',
        code: 'target-unreadable',
        message: `cannot back up ${subject}: ${reason}`,
        subject,
      });
      return undefined;
    }
  }

  /** @returns the directory's tree, or undefined if it was gone or could not be listed. */
  async #directory(local: string, device: bigint, previous: Id | undefined): Promise<Id | undefined> {
    const answer = await this.#read(local, device, undefined, () => this.#saving.parents.forWorker(previous));
    this.#saving.progress(local);
    const id =
      answer.kind === 'listing'
        ? await this.#inSlices(local, answer.names, device, previous)
        : await this.#whole(answer);
    if (id !== undefined) this.#saving.tally.directory(id, previous);
    return id;
  }

  async #read(
    local: string,
    device: bigint,
    names: readonly string[] | undefined,
    loadParent: () => Promise<ParentTree | undefined>,
  ): Promise<DirectoryAnswer | ListingAnswer> {
    const { signal, tally, report } = this.#saving;
    const answer = await this.#queue.read(async () => {
      signal.throwIfAborted();
      const parent = await loadParent();
      return {
        local,
        selection: this.#number,
        ...(names === undefined ? {} : { names }),
        ...(this.#tree.selection.oneFileSystem ? { device } : {}),
        ...(parent === undefined ? {} : { parent }),
      };
    });
    if (answer.kind === 'listing') return answer;
    tally.addFiles(answer.tally);
    tally.addBlobs('data', answer.tally);
    for (const finding of answer.findings) report(finding);
    return answer;
  }

  async #whole({ tree, parts, absent }: DirectoryAnswer): Promise<Id | undefined> {
    const { trees } = this.#saving;
    if (absent) return undefined;
    if (tree !== undefined) return tree.bytes === undefined ? tree.id : trees.put(tree.bytes);
    return trees.put(joinTree(await this.#completed(parts)));
  }

  /** Nodes are kept as bytes, outside the heap, and the parent is let go before the tree is put together. */
  async #inSlices(local: string, names: readonly string[], device: bigint, previous: Id | undefined): Promise<Id> {
    const starts = Array.from({ length: Math.ceil(names.length / SLICE) }, (_, n) => n * SLICE);
    const parent = await this.#saving.parents.tree(previous);
    const pieces = await mapBounded(starts, SIBLINGS, async (start) => {
      const slice = names.slice(start, start + SLICE);
      const [first, last] = [slice[0] ?? '', slice.at(-1) ?? ''];
      const answer = await this.#read(local, device, slice, () =>
        Promise.resolve(parent && { kind: 'bytes', bytes: parent.between(first, last) }),
      );
      this.#saving.progress(local);
      if (answer.kind === 'listing') throw new RespaldoError('internal', 'a slice was answered by a listing');
      return this.#completed(answer.parts);
    });
    parent?.release();
    return this.#saving.trees.put(joinTree(pieces.flat()));
  }

  async #completed(parts: DirectoryAnswer['parts']): Promise<Uint8Array[]> {
    const nodes = await mapBounded(parts, SIBLINGS, async (part) => {
      if (part instanceof Uint8Array) return part;
      const node = await this.#complete(part);
      return node === undefined ? undefined : Buffer.from(node);
    });
    return nodes.filter((node) => node !== undefined);
  }

  async #complete(open: OpenNode): Promise<string | undefined> {
    switch (open.kind) {
      case 'directory': {
        const subtree = await this.#directory(open.local, open.device, open.previous);
        return subtree === undefined ? undefined : encodeNode({ ...open.node, subtree });
      }
      case 'empty-directory':
        return encodeNode({ ...open.node, subtree: await this.#saving.trees.put(encodeTree([])) });
      case 'large-file': {
        const node = await this.#largeFiles.save(open);
        return node === undefined ? undefined : encodeNode(node);
      }
    }
  }

  #guarded<T>(local: string, what: 'file' | 'folder', work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#saving.report(unreadable(local, error, what));
      return undefined;
    }
  }
}
