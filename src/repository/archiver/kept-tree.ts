import { RespaldoError } from '../../errors.ts';
import type { Id } from '../format/id.ts';
import type { Node } from '../format/node.ts';
import type { Saving } from './saving.ts';

/**
 * What the parent snapshot holds at a path, to be stored again as it is; counted as unmodified.
 * @param root the parent's tree
 * @throws RespaldoError `repository-damaged` unless every tree can be read and the index knows every blob: a new snapshot
 *   never builds upon what is lost.
 */
export async function keptTree(path: string, root: Id | undefined, saving: Saving): Promise<Node> {
  const names = path.split('/').slice(1);
  let node: Node | undefined;
  for (const name of names) {
    const folder: Id | undefined = node === undefined ? root : node.subtree;
    node = (await saving.parents.findNodes(folder))?.get(name);
    if (node === undefined) throw lost(path);
  }
  if (node === undefined) throw lost(path);
  await count(node, path, saving);
  return node;
}

async function count(node: Node, path: string, saving: Saving): Promise<void> {
  saving.signal.throwIfAborted();
  if (node.subtree === undefined) {
    if (!saving.parents.holdsAll(node.content)) throw lost(path);
    if (node.type === 'file') saving.tally.file('unmodified', node.size);
    return;
  }
  const children = await saving.parents.findNodes(node.subtree);
  if (children === undefined) throw lost(path);
  for (const child of children.values()) await count(child, `${path}/${child.name}`, saving);
  saving.tally.directory(node.subtree, node.subtree);
}

function lost(path: string): RespaldoError {
  return new RespaldoError('repository-damaged', `the snapshot that this one builds upon has lost ${path}`, {
    hint: 'Take a full backup (--type full), and run `respaldo check --read-data`.',
  });
}
