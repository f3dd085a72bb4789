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
  readonly nodes: Iterator<Node>;
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
  const levels: Level[] = [{ folder: root, nodes: (await load(tree, signal))[Symbol.iterator]() }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    throwIfAborted(signal);
    const node = nextOf(level, losses);
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
    if (nodes !== undefined) levels.push({ folder: child, nodes: nodes[Symbol.iterator]() });
  }
}

/** Undefined at the end, and where the rest of the tree is damaged. */
function nextOf({ folder, nodes }: Level, losses: Losses): Node | undefined {
  try {
    const next = nodes.next();
    return next.done === true ? undefined : next.value;
  } catch (error) {
    if (!isError(error, 'repository-damaged')) throw error;
    losses.lose(folder.location, 'damage', `the rest of it: ${error.message}`);
    return undefined;
  }
}

async function childrenOf(
  node: Node,
  folder: Folder,
  load: LoadTree,
  losses: Losses,
  signal: AbortSignal,
): Promise<Iterable<Node> | undefined> {
  if (node.subtree === undefined) {
    losses.lose(folder.location, 'damage', 'the repository does not say what the folder holds');
    return undefined;
  }
  try {
    return await load(node.subtree, signal);
  } catch (error) {
    if (!isError(error, 'repository-damaged')) throw error;
    losses.lose(folder.location, 'damage', `everything below it: ${error.message}`);
    return undefined;
  }
}
