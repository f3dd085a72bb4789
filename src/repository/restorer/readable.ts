import type { ListedEntry, ReadableSnapshot, Snapshot } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { Node } from '../format/node.ts';
import { blobsInOrder } from './content.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { findNode, type LoadTree, pathComponents } from './tree-path.ts';

/** See {@link Repository.readable}. */
export function readable(context: RepositoryContext, snapshot: Snapshot, signal: AbortSignal): ReadableSnapshot {
  const reader = new SnapshotReader(context);
  const load: LoadTree = (id) => reader.nodes(id, signal);
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

    async *stream(path) {
      const node = await find(path);
      if (node?.type !== 'file')
        throw new RespaldoError('path-missing', `snapshot ${snapshot.id} holds no file ${path}`, {
          hint: '`respaldo ls` shows what it holds.',
        });
      yield* blobsInOrder(node.content ?? [], path, reader, signal);
    },

    async list(path) {
      const isRoot = pathComponents(path).length === 0;
      const tree = isRoot ? snapshot.tree : (await find(path))?.subtree;
      if (tree === undefined) return [];
      const nodes = await load(tree, signal);
      return Promise.all(Array.from(nodes, (node) => listed(node, reader, signal)));
    },
  };
}

async function listed(node: Node, reader: SnapshotReader, signal: AbortSignal): Promise<ListedEntry> {
  const { name, size } = node;
  const first = node.type === 'file' ? node.content?.[0] : undefined;
  const firstBlobLength = first === undefined ? undefined : await reader.dataLength(first, signal);
  return { name, kind: kindOf(node), size, ...(firstBlobLength !== undefined && { firstBlobLength }) };
}

function kindOf({ type }: Node): ListedEntry['kind'] {
  if (type === 'dir') return 'directory';
  return type === 'file' || type === 'symlink' ? type : 'other';
}
