import type { ReadableSnapshot, Snapshot } from '../../domain/snapshot.ts';
import type { RepositoryContext } from '../context.ts';
import type { Node } from '../format/node.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { findNode, type LoadTree, pathComponents } from './tree-path.ts';

type Kind = Awaited<ReturnType<ReadableSnapshot['list']>>[number]['kind'];

/** See {@link Repository.readable}. */
export function readable(context: RepositoryContext, snapshot: Snapshot, signal: AbortSignal): ReadableSnapshot {
  const reader = new SnapshotReader(context);
  const load: LoadTree = (id) => reader.tree(id, signal);
  const find = (path: string) => findNode(load, snapshot.tree, path, signal);
  return {
    id: snapshot.id,

    async read(path) {
      const node = await find(path);
      if (node?.type !== 'file') return undefined;
      const blobs: Uint8Array[] = [];
      for (const id of node.content ?? []) blobs.push(await reader.data(id, signal));
      return Buffer.concat(blobs);
    },

    async list(path) {
      const isRoot = pathComponents(path).length === 0;
      const tree = isRoot ? snapshot.tree : (await find(path))?.subtree;
      if (tree === undefined) return [];
      return (await load(tree, signal)).map((node) => ({ name: node.name, kind: kindOf(node), size: node.size }));
    },

    async firstBlobLength(path) {
      const node = await find(path);
      const first = node?.type === 'file' ? node.content?.[0] : undefined;
      return first === undefined ? undefined : (await reader.data(first, signal)).length;
    },
  };
}

function kindOf({ type }: Node): Kind {
  if (type === 'dir') return 'directory';
  return type === 'file' || type === 'symlink' ? type : 'other';
}
