import { RespaldoError } from '../../errors.ts';
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import { showPath } from '../filesystem/path.ts';

export type LoadTree = (id: Id, signal: AbortSignal) => Promise<Iterable<Node>>;

/** The components of an absolute path within a snapshot; none for the root. */
export function pathComponents(path: string): string[] {
  return path.split('/').filter((component) => component !== '' && component !== '.');
}

/** The node at an absolute path below the root tree; undefined where there is none, and for the root, which has none. */
export async function findNode(load: LoadTree, root: Id, path: string, signal: AbortSignal): Promise<Node | undefined> {
  let tree: Id | undefined = root;
  let found: Node | undefined;
  for (const component of pathComponents(path)) {
    if (tree === undefined) return undefined;
    found = findName(await load(tree, signal), component);
    tree = found?.subtree;
  }
  return found;
}

/**
 * The tree of the folder at a path of the snapshot.
 * @throws RespaldoError `path-missing`
 */
export async function findTree(load: LoadTree, root: Id, path: string, signal: AbortSignal): Promise<Id> {
  if (pathComponents(path).length === 0) return root;
  const node = await findNode(load, root, path, signal);
  if (node?.subtree !== undefined) return node.subtree;
  throw new RespaldoError(
    'path-missing',
    node === undefined
      ? `the snapshot has no ${showPath(path)}`
      : `${showPath(path)} is a ${node.type} in the snapshot, not a folder`,
    {
      hint:
        node === undefined
          ? 'See what it holds with `respaldo ls`.'
          : 'Name the folder that it lies in, and select it with `--include`.',
    },
  );
}

function findName(nodes: Iterable<Node>, name: string): Node | undefined {
  for (const node of nodes) if (node.name === name) return node;
  return undefined;
}
