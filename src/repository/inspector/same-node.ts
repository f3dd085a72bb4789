import type { Id } from '../format/id.ts';
import { encodeNode, type Node } from '../format/node.ts';
import { formatTime, parseTime } from '../format/time.ts';

/** Whether restic takes the two for equal: everything that it knows of a node, times as instants whatever their zone. */
export function isSameNode(a: Node, b: Node): boolean {
  return factsOf(a) === factsOf(b);
}

export function isSameContent(a: readonly Id[] | undefined, b: readonly Id[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((id, at) => id === b[at]);
}

function factsOf({ unknown: _, ...node }: Node): string {
  const attributes = node.extendedAttributes?.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return encodeNode({
    ...node,
    ...(attributes && { extendedAttributes: attributes }),
    ...(node.mtime === undefined ? {} : { mtime: instant(node.mtime) }),
    ...(node.atime === undefined ? {} : { atime: instant(node.atime) }),
    ...(node.ctime === undefined ? {} : { ctime: instant(node.ctime) }),
  });
}

function instant(time: string): string {
  return formatTime(parseTime(time));
}
