import { isAlias, isMap, isNode, isScalar, isSeq, type Document, type LineCounter, type Node } from 'yaml';

/** Keys and list positions from the root of the file. */
export type Path = readonly (string | number)[];

/** Where something stands in the file. Both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Whether a problem is about a key itself (unknown, missing below it) or about its value. */
type Part = 'key' | 'value';

/**
 * The place of what `path` names. What is not written (a missing key, one that came in by `<<`) is placed at the
 * nearest thing above it that is.
 */
export function placeOf(path: Path, part: Part, document: Document, lines: LineCounter): Place {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [at, step] of path.entries()) {
    const found = childOf(resolve(node, document), step);
    if (!found) break;
    const last = at === path.length - 1;
    offset = (last && part === 'value' ? startOf(found.value) : undefined) ?? found.offset ?? offset;
    node = found.value;
  }
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function childOf(node: unknown, step: string | number): { value: unknown; offset: number | undefined } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : undefined) === String(step));
    return pair && { value: pair.value, offset: startOf(pair.key) };
  }
  if (isSeq(node)) {
    const value = node.items[Number(step)];
    return value === undefined ? undefined : { value, offset: startOf(value) };
  }
  return undefined;
}

function resolve(node: unknown, document: Document): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}
