import { isError, throwIfAborted } from '../../errors.ts';
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import type { Folder } from './folders.ts';
import type { Losses } from './losses.ts';
import type { Select } from './selection.ts';
import type { LoadTree } from './tree-path.ts';

/** A selected folder, or another selected entry and the folder it lies in. */
export type Found = { readonly kind: 'folder'; readonly folder: Folder } | FoundEntry;

export interface FoundEntry {
  readonly kind: 'entry';
  readonly node: Node;
  readonly folder: Folder;
}

interface Level {
  readonly folder: Folder;
  readonly nodes: Node[];
  next: number;
}

/**
 * What is selected below a tree, depth first, folders before their content. A tree that is damaged is a loss; the walk
 * goes on beside it.
 */
export async function* walk(
  root: Folder,
  tree: Id,
  load: LoadTree,
  select: Select,
  losses: Losses,
  signal: AbortSignal,
): AsyncIterable<Found> {
  const levels: Level[] = [{ folder: root, nodes: await load(tree, signal), next: 0 }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    throwIfAborted(signal);
    const node = level.nodes[level.next];
    level.next += 1;
    if (node === undefined) {
      levels.pop();
      continue;
    }
    const { folder } = level;
    const isFolder = node.type === 'dir';
    const { selected, below } = select(`${folder.location}/${node.name}`, isFolder);
    if (!isFolder) {
      if (selected) yield { kind: 'entry', node, folder };
      continue;
    }
    const child = folder.child(node);
    if (selected) yield { kind: 'folder', folder: child };
    if (!below) continue;
    const nodes = await childrenOf(node, child, load, losses, signal);
    if (nodes.length > 0) levels.push({ folder: child, nodes, next: 0 });
  }
}

async function childrenOf(
  node: Node,
  folder: Folder,
  load: LoadTree,
  losses: Losses,
  signal: AbortSignal,
): Promise<Node[]> {
  if (node.subtree === undefined) {
    losses.lose(folder.location, 'damage', 'the repository does not say what the folder holds');
    return [];
  }
  try {
    return await load(node.subtree, signal);
  } catch (error) {
    if (!isError(error, 'repository-damaged')) throw error;
    losses.lose(folder.location, 'damage', `everything below it: ${error.message}`);
    return [];
  }
}
