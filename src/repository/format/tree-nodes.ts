/** Trees node by node: a directory of a million names has a tree of hundreds of megabytes. */
import { compareNames } from '../../domain/name.ts';
import { RespaldoError } from '../../errors.ts';
import { endOfObject } from './json-scan.ts';
import type { Node } from './node.ts';
import { parseTree } from './tree.ts';

/** Bytes that are parsed at a time, about. */
const PART = 256 * 1024;
const HEAD = Buffer.from('{"nodes":[');
const TAIL = /\]\}\s*$/;
const COMMA = 0x2c;

/**
 * As `parseTree`, but a large tree is parsed part by part while it is read: what is wrong with it is then told when it
 * is reached. Large trees must be sorted, as all programs write them.
 * @throws RespaldoError `repository-damaged`
 */
export function treeNodes(bytes: Uint8Array): Iterable<Node> {
  const body = bytes.length <= 2 * PART ? undefined : bodyOf(bytes);
  return body === undefined ? parseTree(bytes) : sorted(parts(body));
}

/** What stands between the brackets, if the tree has the form that every program gives it. */
function bodyOf(bytes: Uint8Array): Uint8Array | undefined {
  if (HEAD.compare(bytes, 0, HEAD.length) !== 0) return undefined;
  const end = TAIL.exec(Buffer.from(bytes.subarray(-16)).toString('latin1'));
  return end === null ? undefined : bytes.subarray(HEAD.length, bytes.length - end[0].length);
}

function* parts(body: Uint8Array): Generator<Node[]> {
  for (let start = 0; start < body.length;) {
    const end = endOfNode(body, start, start + PART);
    yield parseTree(Buffer.concat([HEAD, body.subarray(start, end), Buffer.from(']}')]));
    if (end < body.length && body[end] !== COMMA) throw damaged('a comma is missing');
    start = end + 1;
  }
}

/** The end of the first node from `start` that reaches `atLeast`. */
function endOfNode(body: Uint8Array, start: number, atLeast: number): number {
  let end = endOfObject(body, start);
  while (end < atLeast && body[end] === COMMA) end = endOfObject(body, end + 1);
  return end;
}

/** In one order, no name can occur twice. */
function* sorted(parts: Iterable<readonly Node[]>): Generator<Node> {
  let last: string | undefined;
  for (const part of parts) {
    for (const node of part) {
      if (last !== undefined && compareNames(last, node.name) >= 0)
        throw damaged(`its entries are not sorted (${JSON.stringify(node.name)})`);
      last = node.name;
      yield node;
    }
  }
}

function damaged(why: string): RespaldoError {
  return new RespaldoError('repository-damaged', `a stored tree is damaged: ${why}`, {
    hint: 'Run `respaldo check --read-data` to see everything that is affected.',
  });
}
