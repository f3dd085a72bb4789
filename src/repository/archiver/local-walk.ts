/** Saves folders of this machine: workers read the directories, this walks the tree and completes it upwards. */
import { readdirSync, type BigIntStats } from 'node:fs';
import { constants, lstat, open } from 'node:fs/promises';
import { posix } from 'node:path';
import type { LocalTree } from '../../domain/entry.ts';
import { compareNames, decodeName } from '../../domain/name.ts';
import { RespaldoError } from '../../errors.ts';
import { fsPath, showPath } from '../filesystem/path.ts';
import type { Id } from '../format/id.ts';
import { encodeNode, type Node } from '../format/node.ts';
import { encodeTree } from '../format/tree.ts';
import { Accounts } from './accounts.ts';
import { changedWhileRead, unreadable } from './directory-reader.ts';
import { sameState } from './file-reader.ts';
import { Gate, mapBounded } from './gate.ts';
import { kindOf, localNode } from './local-node.ts';
import { isUnchanged } from './parent-tree.ts';
import type { DirectoryAnswer, OpenNode } from './protocol.ts';
import type { Saving } from './saving.ts';
import { Selector } from './selector.ts';
import { isNameless, planTargets, type TargetFolder } from './targets.ts';

/** Tasks that wait at each worker, so that none is idle while the main thread is busy. */
const QUEUED_PER_WORKER = 3;
/** Subdirectories of one directory that are walked at once. */
const SIBLINGS = 32;
const TRIES = 2;

export class LocalWalk {
  readonly #saving: Saving;
  readonly #tree: LocalTree;
  readonly #number: number;
  readonly #selector: Selector;
  readonly #accounts = new Accounts();
  readonly #directories: Gate;
  readonly #largeFiles = new Gate(1);

  /** `number` tells this walk's selection from those of others in the same save. */
  constructor(saving: Saving, tree: LocalTree, number: number) {
    this.#saving = saving;
    this.#tree = tree;
    this.#number = number;
    this.#selector = new Selector(tree.selection);
    this.#directories = new Gate(saving.crew.size * QUEUED_PER_WORKER);
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

  /** A folder above the targets. */
  async #chain(name: string, folder: TargetFolder, before: Node | undefined): Promise<Node | undefined> {
    const stats = await this.#look(folder.local);
    if (stats === undefined) return undefined;
    const children = await this.#children(folder, before?.subtree);
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
    return this.#largeFile({
      kind: 'large-file',
      node,
      local,
      device: stats.dev,
      isKnown: before?.type === 'file',
      previous: undefined,
    });
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
    const answer = await this.#directories.through(() => this.#read(local, device, previous));
    this.#saving.progress(local);
    if (answer.absent) return undefined;
    const id = await this.#store(answer);
    this.#saving.tally.directory(id, previous);
    return id;
  }

  async #read(local: string, device: bigint, previous: Id | undefined): Promise<DirectoryAnswer> {
    const { crew, parents, tally } = this.#saving;
    this.#saving.signal.throwIfAborted();
    const parent = await parents.forWorker(previous);
    const answer = await crew.run({
      kind: 'directory',
      local,
      selection: this.#number,
      ...(this.#tree.selection.oneFileSystem ? { device } : {}),
      ...(parent === undefined ? {} : { parent }),
    });
    if (answer.kind !== 'directory') throw new RespaldoError('internal', `unexpected answer ${answer.kind}`);
    tally.addFiles(answer.tally);
    tally.addBlobs('data', answer.tally);
    for (const finding of answer.findings) this.#saving.report(finding);
    return answer;
  }

  async #store({ tree, parts }: DirectoryAnswer): Promise<Id> {
    const { trees } = this.#saving;
    if (tree !== undefined) return tree.bytes === undefined ? tree.id : trees.put(tree.bytes);
    const nodes = await mapBounded(parts, SIBLINGS, (part) =>
      typeof part === 'string' ? Promise.resolve(part) : this.#complete(part),
    );
    return trees.put(encodeTree(nodes.filter((node) => node !== undefined)));
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
        const node = await this.#largeFile(open);
        return node === undefined ? undefined : encodeNode(node);
      }
    }
  }

  async #largeFile(open: OpenNode): Promise<Node | undefined> {
    return this.#largeFiles.through(async () => {
      this.#saving.signal.throwIfAborted();
      this.#saving.progress(open.local);
      try {
        const node = await this.#readLargeFile(open);
        this.#saving.tally.file(open.isKnown ? 'changed' : 'new', node.size);
        return node;
      } catch (error) {
        this.#saving.report(unreadable(open.local, error, 'file'));
        return undefined;
      }
    });
  }

  async #readLargeFile({ node, local }: OpenNode): Promise<Node> {
    const { streams, batches } = this.#saving;
    const handle = await open(fsPath(local), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      for (let tries = 1; ; tries++) {
        const stats = await handle.stat({ bigint: true });
        if (kindOf(stats) !== 'file') throw new RespaldoError('source-lost', 'it is no longer a file');
        let at = 0;
        const { content, size } = await streams.saveFrom(async (space) => {
          const { bytesRead } = await handle.read(space, 0, space.length, at);
          at += bytesRead;
          return bytesRead;
        });
        await batches.drain();
        const changed = !sameState(stats, await handle.stat({ bigint: true }));
        if (changed && tries < TRIES) continue;
        if (changed) this.#saving.report(changedWhileRead(local));
        return { ...localNode(node.name, local, stats, this.#accounts), size, content };
      }
    } finally {
      await handle.close();
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
