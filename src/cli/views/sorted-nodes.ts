import { compareNames } from '../../domain/name.ts';
import { compareTimestamps, parseTimestamp } from '../../domain/timestamp.ts';
import type { ListedNode } from '../../repository/repository.ts';
import { ZERO_TIME } from './node.ts';

/** restic's words; `time` and `mtime` are the same. */
export const ORDERS = ['name', 'size', 'time', 'mtime', 'atime', 'ctime', 'extension'] as const;
export type Order = (typeof ORDERS)[number];

/** The smallest, or earliest, first; what is equal by path. By name they stay as they are: in the snapshot's order. */
export function sorted(nodes: readonly ListedNode[], order: Order, reverse: boolean): readonly ListedNode[] {
  const ordered = order === 'name' ? nodes : orderedBy(nodes, order);
  return reverse ? ordered.toReversed() : ordered;
}

function orderedBy(nodes: readonly ListedNode[], order: Exclude<Order, 'name'>): readonly ListedNode[] {
  switch (order) {
    case 'size':
      return byKey(
        nodes,
        ({ type, size }) => (type === 'file' ? size : 0),
        (a, b) => a - b,
      );
    case 'extension':
      return byKey(nodes, extensionOf, compareNames);
    case 'time':
    case 'mtime':
      return byKey(nodes, ({ mtime = ZERO_TIME }) => parseTimestamp(mtime), compareTimestamps);
    case 'atime':
    case 'ctime':
      return byKey(nodes, ({ [order]: time = ZERO_TIME }) => parseTimestamp(time), compareTimestamps);
  }
}

function byKey<K>(
  nodes: readonly ListedNode[],
  keyOf: (node: ListedNode) => K,
  compare: (a: K, b: K) => number,
): readonly ListedNode[] {
  return nodes
    .map((node) => ({ node, key: keyOf(node) }))
    .sort((a, b) => compare(a.key, b.key) || compareNames(a.node.path, b.node.path))
    .map(({ node }) => node);
}

/** With its dot; also all of `.profile`. */
function extensionOf({ name }: ListedNode): string {
  const dot = name.lastIndexOf('.');
  return dot === -1 ? '' : name.slice(dot);
}
