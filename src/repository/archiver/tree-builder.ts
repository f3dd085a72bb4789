/** Gathers the nodes of a snapshot's upper folders, in whatever order they come, and stores their trees at the end. */
import { posix } from 'node:path';
import type { DirectoryEntry, FileEntry, Metadata, SymlinkEntry } from '../../domain/entry.ts';
import { compareNames } from '../../domain/name.ts';
import { RespaldoError } from '../../errors.ts';
import type { Id } from '../format/id.ts';
import { encodeNode, goMode, type Node } from '../format/node.ts';
import { formatTime } from '../format/time.ts';
import { encodeTree } from '../format/tree.ts';
import { standingOf } from './item-teller.ts';
import type { Added } from './protocol.ts';
import type { Saving } from './saving.ts';

interface Folder {
  readonly kind: 'folder';
  node: Node;
  readonly children: Map<string, Item>;
}

/** `counted`: whoever made the node has counted it already. */
interface Leaf {
  readonly kind: 'leaf';
  readonly node: Node;
  readonly counted: boolean;
  readonly work?: Work;
}

/** What saving a file has taken. */
export interface Work {
  readonly added: Added;
  readonly milliseconds: number;
}

type Item = Folder | Leaf;

export class TreeBuilder {
  readonly #root: Folder;
  /** For folders that no entry describes. */
  readonly #plain: Metadata;

  constructor(timeNs: bigint, uid: number, gid: number) {
    this.#plain = { mode: 0o755, mtimeNs: timeNs, atimeNs: timeNs, ctimeNs: timeNs, uid, gid };
    this.#root = this.#folder('');
  }

  directory(entry: DirectoryEntry): void {
    if (entry.path === '/') return;
    const existing = this.#parentOf(entry.path).children.get(posix.basename(entry.path));
    const node = metadataNode('dir', posix.basename(entry.path), entry.metadata);
    if (existing === undefined) this.#add(entry.path, { kind: 'folder', node, children: new Map() });
    else if (existing.kind === 'folder') existing.node = node;
    else throw twice(entry.path);
  }

  symlink(entry: SymlinkEntry): void {
    const node = metadataNode('symlink', posix.basename(entry.path), entry.metadata);
    this.#add(entry.path, { kind: 'leaf', node: { ...node, linkTarget: entry.target }, counted: false });
  }

  /** `content` may still be filling up: it is looked at when the trees are stored. */
  file(entry: FileEntry, size: number, content: readonly Id[], work: Work): void {
    const node = metadataNode('file', posix.basename(entry.path), entry.metadata);
    this.#add(entry.path, { kind: 'leaf', node: { ...node, size, content }, counted: false, work });
  }

  /** A finished node at the top of the snapshot. */
  top(node: Node): void {
    this.#add(`/${node.name}`, { kind: 'leaf', node, counted: true });
  }

  /** A finished node anywhere. */
  kept(path: string, node: Node): void {
    this.#add(path, { kind: 'leaf', node, counted: true });
  }

  get isEmpty(): boolean {
    return this.#root.children.size === 0;
  }

  /** Stores every tree. @returns the root's id. */
  async store(saving: Saving, parentRoot: Id | undefined): Promise<Id> {
    return this.#store(this.#root, saving, parentRoot, '');
  }

  /** @param path of the folder within the snapshot; empty for the root */
  async #store(folder: Folder, saving: Saving, parent: Id | undefined, path: string): Promise<Id> {
    const previous = await saving.parents.nodes(parent);
    const names = [...folder.children.keys()].sort(compareNames);
    const nodes: string[] = [];
    for (const name of names) {
      const child = folder.children.get(name);
      if (child === undefined) continue;
      const before = previous.get(name);
      if (child.kind === 'folder') {
        const subtree = await this.#store(child, saving, before?.subtree, `${path}/${name}`);
        saving.tally.directory(subtree, before?.subtree);
        const action = standingOf(subtree, before?.subtree);
        saving.tell?.({ path: `${path}/${name}/`, action, added: { bytes: 0, stored: 0 }, milliseconds: 0 });
        nodes.push(encodeNode({ ...child.node, subtree }));
      } else {
        const { node, counted, work } = child;
        if (node.type === 'file' && !counted) {
          const found = standing(node, before);
          saving.tally.file(found, node.size);
          if (work !== undefined) saving.tell?.({ path: `${path}/${name}`, action: ACTIONS[found], ...work });
        }
        nodes.push(encodeNode(node));
      }
    }
    return saving.trees.put(encodeTree(nodes));
  }

  #add(path: string, item: Item): void {
    const { children } = this.#parentOf(path);
    const name = posix.basename(path);
    if (children.has(name)) throw twice(path);
    children.set(name, item);
  }

  #parentOf(path: string): Folder {
    let folder = this.#root;
    for (const name of path.split('/').slice(1, -1)) {
      const next = folder.children.get(name) ?? this.#folder(name);
      if (next.kind !== 'folder') throw twice(path);
      folder.children.set(name, next);
      folder = next;
    }
    return folder;
  }

  #folder(name: string): Folder {
    return { kind: 'folder', node: metadataNode('dir', name, this.#plain), children: new Map() };
  }
}

const ACTIONS = { new: 'new', changed: 'modified', unmodified: 'unchanged' } as const;

function standing(node: Node, before: Node | undefined): 'new' | 'changed' | 'unmodified' {
  if (before?.type !== 'file') return 'new';
  const content = node.content ?? [];
  const old = before.content ?? [];
  return content.length === old.length && content.every((id, at) => id === old[at]) ? 'unmodified' : 'changed';
}

function twice(path: string): RespaldoError {
  return new RespaldoError('internal', `the source yielded ${path} twice`);
}

function metadataNode(type: 'file' | 'dir' | 'symlink', name: string, metadata: Metadata): Node {
  return {
    name,
    type,
    mode: goMode(type, metadata.mode),
    mtime: formatTime(metadata.mtimeNs),
    atime: formatTime(metadata.atimeNs),
    ctime: formatTime(metadata.ctimeNs),
    uid: metadata.uid,
    gid: metadata.gid,
    size: 0,
    ...(metadata.user === undefined ? {} : { user: metadata.user }),
    ...(metadata.group === undefined ? {} : { group: metadata.group }),
    ...(metadata.inode === undefined ? {} : { inode: metadata.inode }),
    ...(metadata.deviceId === undefined ? {} : { deviceId: metadata.deviceId }),
    ...(metadata.links === undefined ? {} : { links: metadata.links }),
  };
}
