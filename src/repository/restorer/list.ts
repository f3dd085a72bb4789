import type { Snapshot } from '../../domain/snapshot.ts';
import { RespaldoError, throwIfAborted } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import { showPath } from '../filesystem/path.ts';
import type { Node } from '../format/node.ts';
import type { ListedNode, ListSelect } from '../repository.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { findNode, type LoadTree, pathComponents } from './tree-path.ts';

/** A directory whose nodes are being listed. */
interface Level {
  readonly path: string;
  readonly nodes: Iterator<Node>;
}

/** See {@link Repository.list}. Holds the trees on the way to the current node, not more. */
export async function* list(
  context: RepositoryContext,
  snapshot: Snapshot,
  select: ListSelect,
  signal: AbortSignal,
): AsyncIterable<ListedNode> {
  const reader = new SnapshotReader(context);
  const load: LoadTree = (id) => reader.nodes(id, signal);
  const path = `/${pathComponents(select.path ?? '/').join('/')}`;
  if (path === '/') {
    yield* below('', await load(snapshot.tree, signal), load, select, signal);
    return;
  }
  const node = await findNode(load, snapshot.tree, path, signal);
  if (node === undefined) {
    throw new RespaldoError('path-missing', `snapshot ${snapshot.id.slice(0, 8)} has no ${showPath(path)}`, {
      hint: `See what it holds with \`respaldo ls ${snapshot.id.slice(0, 8)}\`.`,
    });
  }
  yield listed(path, node);
  if (node.subtree !== undefined) yield* below(path, await load(node.subtree, signal), load, select, signal);
}

async function* below(
  path: string,
  nodes: Iterable<Node>,
  load: LoadTree,
  { recursive = true, enter = () => true }: ListSelect,
  signal: AbortSignal,
): AsyncIterable<ListedNode> {
  const levels: Level[] = [{ path, nodes: nodes[Symbol.iterator]() }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    throwIfAborted(signal);
    const next = level.nodes.next();
    if (next.done === true) {
      levels.pop();
      continue;
    }
    const node = next.value;
    const place = `${level.path}/${node.name}`;
    const entry = listed(place, node);
    yield entry;
    if (recursive && node.subtree !== undefined && enter(entry))
      levels.push({ path: place, nodes: (await load(node.subtree, signal))[Symbol.iterator]() });
  }
}

function listed(path: string, node: Node): ListedNode {
  const { name, type, mode, mtime, atime, ctime, uid, gid, user, group, inode, deviceId, size, links } = node;
  return {
    path,
    name,
    type,
    mode,
    uid,
    gid,
    size,
    ...(mtime === undefined ? {} : { mtime }),
    ...(atime === undefined ? {} : { atime }),
    ...(ctime === undefined ? {} : { ctime }),
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    ...(inode === undefined ? {} : { inode }),
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(links === undefined ? {} : { links }),
    ...(node.linkTarget === undefined ? {} : { linkTarget: node.linkTarget }),
    ...(node.extendedAttributes === undefined ? {} : { extendedAttributes: node.extendedAttributes }),
    ...(node.content === undefined ? {} : { content: node.content }),
    ...(node.subtree === undefined ? {} : { subtree: node.subtree }),
  };
}
