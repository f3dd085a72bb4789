/** Saves folders of this machine: workers read the directories, this walks the tree and completes it upwards. */
import { lstatSync, readdirSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { posix } from 'node:path';
import { systemClock } from '../../clock.ts';
import type { LocalTree } from '../../domain/entry.ts';
import { compareNames, decodeName } from '../../domain/name.ts';
import { RespaldoError } from '../../errors.ts';
import { fsPath, showPath } from '../filesystem/path.ts';
import { statOf } from '../filesystem/stat.ts';
import type { Id } from '../format/id.ts';
import { encodeNode, type Node } from '../format/node.ts';
import type { Stat } from '../format/stat.ts';
import { joinTree, parseTree } from '../format/tree.ts';
import { Accounts } from './accounts.ts';
import { DirectoryQueue } from './directory-queue.ts';
import { SLICE } from './directory-reader.ts';
import { unreadable } from './entry-findings.ts';
import { mapBounded } from './gate.ts';
import { difference } from './item-log.ts';
import { ItemTeller } from './item-teller.ts';
import { LargeFiles } from './large-file.ts';
import { localNode } from './local-node.ts';
import { isUnchanged } from './parent-tree.ts';
import type { DirectoryAnswer, ListingAnswer, OpenFile, OpenFolder, ParentTree } from './protocol.ts';
import type { Saving } from './saving.ts';
import { Selector } from './selector.ts';
import { groupTargets } from './target-groups.ts';
import { folderAt, isNameless, planTargets, type TargetFolder } from './targets.ts';

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
  readonly #teller: ItemTeller;
  /** Local paths that the user named. */
  readonly #named: ReadonlySet<string>;
  /** Local paths that stand for a folder without a name of its own, which the user named, and that folder's device. */
  readonly #implied = new Map<string, bigint>();

  /** `number` tells this walk's selection from those of others in the same save. */
  constructor(saving: Saving, tree: LocalTree, number: number) {
    this.#saving = saving;
    this.#tree = tree;
    this.#number = number;
    this.#selector = new Selector(tree.selection, tree.reading);
    this.#teller = new ItemTeller(saving.tell);
    this.#named = new Set(tree.targets.map((target) => posix.resolve(tree.workingDirectory, target)));
    this.#queue = new DirectoryQueue(saving.crew);
    this.#largeFiles = new LargeFiles(saving, this.#accounts, this.#teller, tree.reading?.withAtime ?? false);
  }

  /** @returns the nodes at the top of the snapshot, with everything below them stored. */
  async save(parentRoot: Id | undefined): Promise<readonly Node[]> {
    const { selection, reading = {}, workingDirectory } = this.#tree;
    await this.#saving.crew.all({ kind: 'selection', number: this.#number, selection, reading });
    return this.#children(planTargets(this.#expand(), workingDirectory), parentRoot, '');
  }

  /** Targets without a name of their own are replaced by what they contain. */
  #expand(): string[] {
    return this.#tree.targets.flatMap((target) => {
      if (!isNameless(target)) return [target];
      const folder = posix.resolve(this.#tree.workingDirectory, target);
      const { dev } = lstatSync(fsPath(folder), { bigint: true });
      const names = readdirSync(fsPath(folder), { encoding: 'buffer' }).map(decodeName);
      const kept = this.#selector.namesToKeep(folder, names);
      for (const name of kept) this.#implied.set(posix.join(folder, name), dev);
      return kept.map((name) => posix.join(target, name));
    });
  }

  /** @param path of the folder within the snapshot; empty for the root */
  async #children(folder: TargetFolder, parent: Id | undefined, path: string): Promise<Node[]> {
    const pieces = await this.#contents(folder, parent, path);
    return pieces.flatMap((piece) => parseTree(joinTree([piece])));
  }

  /** As {@link #children}, but as bytes: targets may be many. */
  async #contents(folder: TargetFolder, parent: Id | undefined, path: string): Promise<Uint8Array[]> {
    for (const [name, { kind, local }] of folder.children)
      if (kind === 'leaf') this.#teller.target(local, `${path}/${name}`);
    const { groups, renamed } = groupTargets(folder, (local) =>
      this.#named.has(local) ? undefined : this.#implied.get(local),
    );
    const pieces: Uint8Array[] = [];
    for (const { above, names, device } of groups) pieces.push(...(await this.#slices(above, names, device, parent)));
    const chains = [...folder.children].filter(([, { kind }]) => kind === 'folder');
    // All of one group are in the order of their names; only what comes from several places has to be sorted.
    if (chains.length + renamed.length === 0 && groups.length === 1) return pieces;
    const previous = await this.#saving.parents.nodes(parent);
    const nodes: (Node | undefined)[] = pieces.flatMap((piece) => parseTree(joinTree([piece])));
    for (const { name, local } of renamed) nodes.push(await this.#renamed(name, local, previous.get(name)));
    for (const [name, child] of chains)
      if (child.kind === 'folder') nodes.push(await this.#chain(name, child, previous.get(name), `${path}/${name}`));
    return nodes
      .filter((node) => node !== undefined)
      .sort((a, b) => compareNames(a.name, b.name))
      .map((node) => Buffer.from(encodeNode(node)));
  }

  /** A folder above the targets; left out where none of them could be read. */
  async #chain(name: string, folder: TargetFolder, before: Node | undefined, path: string): Promise<Node | undefined> {
    const began = systemClock.monotonic();
    const stat = await this.#look(folder.local);
    if (stat === undefined) return undefined;
    this.#teller.target(folder.local, path);
    const children = await this.#contents(folder, before?.subtree, path);
    if (children.length === 0) return undefined;
    const subtree = await this.#store(folder.local, joinTree(children), before?.subtree, began);
    const { withAtime } = this.#selector.reading;
    return { ...localNode(name, folder.local, stat, this.#accounts, withAtime), type: 'dir', subtree };
  }

  /** A target that has another name in the snapshot, because there are two of that name. */
  async #renamed(name: string, local: string, before: Node | undefined): Promise<Node | undefined> {
    const stat = await this.#look(local);
    if (stat === undefined || stat.type === 'socket') return undefined;
    const { reading } = this.#selector;
    const node = this.#guarded(local, 'file', () => localNode(name, local, stat, this.#accounts, reading.withAtime));
    if (node === undefined) return undefined;
    if (node.type === 'dir') {
      const subtree = await this.#directory(local, stat.device, before?.subtree);
      return subtree === undefined ? undefined : { ...node, subtree };
    }
    if (node.type !== 'file') return node;
    if (before !== undefined && isUnchanged(stat, before, reading) && this.#saving.parents.holdsAll(before.content)) {
      this.#saving.tally.file('unmodified', node.size);
      this.#teller.items([{ local, action: 'unchanged', added: { bytes: 0, stored: 0 }, milliseconds: 0 }]);
      return { ...node, content: before.content ?? [] };
    }
    return this.#largeFiles.save({ node, local, isKnown: before?.type === 'file' });
  }

  async #look(local: string): Promise<Stat | undefined> {
    try {
      return statOf(await lstat(fsPath(local), { bigint: true }));
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
    const began = systemClock.monotonic();
    const answer = await this.#read({ local, device }, () => this.#saving.parents.forWorker(previous));
    this.#saving.progress(local);
    if (answer.kind === 'listing') {
      const pieces = await this.#slices(local, answer.names, device, previous);
      return this.#store(local, joinTree(pieces), previous, began);
    }
    return this.#whole(local, answer, previous, began);
  }

  async #read(
    wanted: { readonly local: string; readonly device: bigint | undefined; readonly names?: readonly string[] },
    loadParent: () => Promise<ParentTree | undefined>,
  ): Promise<DirectoryAnswer | ListingAnswer> {
    const { signal, tally, report } = this.#saving;
    const answer = await this.#queue.read(async () => {
      signal.throwIfAborted();
      const parent = await loadParent();
      const { device, ...task } = wanted;
      return {
        ...task,
        selection: this.#number,
        ...(device === undefined ? { explicit: true } : this.#tree.selection.oneFileSystem ? { device } : {}),
        ...(parent === undefined ? {} : { parent }),
      };
    });
    if (answer.kind === 'listing') return answer;
    tally.addFiles(answer.tally);
    tally.addBlobs('data', answer.tally);
    for (const finding of answer.findings) report(finding);
    this.#teller.items(answer.items);
    return answer;
  }

  async #whole(
    local: string,
    { tree, parts, same, absent }: DirectoryAnswer,
    previous: Id | undefined,
    began: number,
  ): Promise<Id | undefined> {
    if (absent) return undefined;
    if (tree?.bytes !== undefined) return this.#store(local, tree.bytes, previous, began);
    if (tree !== undefined) return this.#known(local, tree.id, previous, began);
    const { nodes, isSame } = await this.#completed(parts);
    return same !== undefined && isSame
      ? this.#known(local, same, previous, began)
      : this.#store(local, joinTree(nodes), previous, began);
  }

  /** A folder is complete, and the repository has its tree. */
  #known(local: string, id: Id, previous: Id | undefined, began: number): Id {
    this.#saving.tally.directory(id, previous);
    this.#teller.folder(local, id, previous, { bytes: 0, stored: 0 }, began);
    return id;
  }

  /** A folder is complete: its tree is stored and counted. */
  async #store(local: string, tree: Uint8Array, previous: Id | undefined, began: number): Promise<Id> {
    const { trees, tally } = this.#saving;
    const before = trees.added;
    const storing = trees.put(tree);
    const added = difference(trees.added, before);
    const id = await storing;
    tally.directory(id, previous);
    this.#teller.folder(local, id, previous, added, began);
    return id;
  }

  /**
   * Some entries of a folder, in their order. Nodes are kept as bytes, outside the heap, and the parent is let go before
   * a tree is put together.
   * @param device of the folder; undefined where the user named the entries themselves
   */
  async #slices(
    local: string,
    names: readonly string[],
    device: bigint | undefined,
    previous: Id | undefined,
  ): Promise<Uint8Array[]> {
    const starts = Array.from({ length: Math.ceil(names.length / SLICE) }, (_, n) => n * SLICE);
    const parent = await this.#saving.parents.tree(previous);
    const pieces = await mapBounded(starts, SIBLINGS, async (start) => {
      const slice = names.slice(start, start + SLICE);
      const [first, last] = [slice[0] ?? '', slice.at(-1) ?? ''];
      const answer = await this.#read({ local, device, names: slice }, () =>
        Promise.resolve(parent && { kind: 'bytes', bytes: parent.between(first, last) }),
      );
      this.#saving.progress(local);
      if (answer.kind === 'listing') throw new RespaldoError('internal', 'a slice was answered by a listing');
      return (await this.#completed(answer.parts)).nodes;
    });
    parent?.release();
    return pieces.flat();
  }

  /** What lies on another file system is left out, but for what the user named. */
  async #mountPoint({ local, device, previous }: OpenFolder): Promise<Id | undefined> {
    if (this.#named.has(local)) return this.#directory(local, device, previous);
    const began = systemClock.monotonic();
    const inside = [...this.#named].filter((target) => target.startsWith(`${local}/`));
    const folder = inside.length === 0 ? undefined : folderAt(planTargets(inside, '/'), local);
    const pieces = folder === undefined ? [] : await this.#contents(folder, previous, this.#teller.placeOf(local));
    return this.#store(local, joinTree(pieces), previous, began);
  }

  /** `isSame`: every folder's subtree is the parent snapshot's. */
  async #completed(parts: DirectoryAnswer['parts']): Promise<{ nodes: Uint8Array[]; isSame: boolean }> {
    let isSame = true;
    const nodes = await mapBounded(parts, SIBLINGS, async (part) => {
      if (part instanceof Uint8Array) return part;
      if (part.kind === 'large-file') return this.#largeFile(part);
      const subtree = await this.#subtree(part);
      isSame &&= subtree === part.previous;
      return subtree === undefined ? undefined : Buffer.from(`${part.json}${subtree}"}`);
    });
    return { nodes: nodes.filter((node) => node !== undefined), isSame };
  }

  async #subtree(folder: OpenFolder): Promise<Id | undefined> {
    if (folder.kind === 'empty-directory') return this.#mountPoint(folder);
    return this.#directory(folder.local, folder.device, folder.previous);
  }

  async #largeFile(file: OpenFile): Promise<Uint8Array | undefined> {
    const node = await this.#largeFiles.save(file);
    return node === undefined ? undefined : Buffer.from(encodeNode(node));
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
