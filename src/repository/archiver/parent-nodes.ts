/**
 * The nodes that the parent snapshot has for a directory, met one after the other beside the directory's own entries.
 *
 * Most entries of a backup are as they were. So a node is not parsed and made anew, but what the node of an entry should
 * begin with is compared with what is stored, byte by byte; where they are equal, the stored bytes are the new node.
 */
import { compareNames } from '../../domain/name.ts';
import { ID_BYTES } from '../format/id.ts';
import { endOfObject, endOfString } from '../format/json-scan.ts';
import type { NodeMatcher } from '../format/node-match.ts';
import type { Node } from '../format/node.ts';
import { goUnquote } from '../format/quote.ts';
import type { Stat } from '../format/stat.ts';
import { parseTree } from '../format/tree.ts';
import type { KnownBlobs } from '../storage/known-blobs.ts';

const HEAD = '{"nodes":[';
const TAIL = ']}\n';
const NAME = '{"name":"';
const TARGET = ',"linktarget":"';
const RAW_TARGET = ',"linktarget_raw":"';
const ATTRIBUTES = ',"extended_attributes":[';
const NO_CONTENT = ',"content":null';
const CONTENT = ',"content":[';
const SUBTREE = ',"subtree":"';
const QUOTE = 0x22;
const COMMA = 0x2c;
const CLOSE_LIST = 0x5d;
const CLOSE = 0x7d;
const ID_DIGITS = 2 * ID_BYTES;

/** A stored node that describes an entry as it is now. */
export interface KeptNode {
  /** Where it begins and ends in the tree. */
  readonly start: number;
  readonly end: number;
  /** Of a folder: where the 64 digits of its subtree begin. */
  readonly subtree?: number;
}

export class ParentNodes {
  readonly bytes: Uint8Array;
  /** The same, a character for each byte. */
  readonly #text: string;
  readonly #end: number;
  readonly #isCanonical: boolean;
  #at: number;
  #skipped = false;
  /** Where the tree is not of the form that restic and Respaldo give it: its nodes, parsed all at once. */
  #parsed: ReadonlyMap<string, Node> | undefined;

  /** @param tree empty: there is no parent */
  constructor(tree: Uint8Array) {
    this.bytes = tree;
    this.#text = Buffer.from(tree.buffer, tree.byteOffset, tree.length).toString('latin1');
    this.#isCanonical = this.#text.startsWith(HEAD) && this.#text.endsWith(TAIL);
    this.#end = this.#isCanonical ? tree.length - TAIL.length : 0;
    this.#at = this.#isCanonical ? HEAD.length : 0;
    if (!this.#isCanonical && tree.length > 0) this.#parsed = nodesOf(tree);
  }

  /** Whether there is no parent. */
  get isEmpty(): boolean {
    return this.bytes.length === 0;
  }

  /** Whether every node was met, none passed over. */
  get isExhausted(): boolean {
    return this.#isCanonical && this.#at >= this.#end && !this.#skipped;
  }

  /**
   * The stored node of this name, if it describes the entry as it is now and all its blobs are known. It is behind us
   * afterwards. Names are asked for in the order of their bytes.
   */
  keep(name: string, entry: Stat, matcher: NodeMatcher, known: KnownBlobs): KeptNode | undefined {
    let headEnd = matcher.match(this.#text, this.bytes, this.#at, name, entry);
    if (headEnd < 0 && this.#seek(name)) headEnd = matcher.match(this.#text, this.bytes, this.#at, name, entry);
    const node = headEnd < 0 ? undefined : this.#measure(this.#at, headEnd, entry.type, known);
    if (node !== undefined) this.#passTo(node.end);
    return node;
  }

  /** The node of this name, parsed. Behind us afterwards. */
  take(name: string): Node | undefined {
    if (!this.#seek(name)) return this.#parsed?.get(name);
    const start = this.#at;
    const end = endOfObject(this.bytes, start);
    this.#passTo(end);
    return nodesOf(Buffer.concat([Buffer.from(HEAD), this.bytes.subarray(start, end), Buffer.from(TAIL)])).get(name);
  }

  /** Looks at what follows the head: blobs or a subtree, and nothing that we would not write. */
  #measure(start: number, headEnd: number, type: Stat['type'], known: KnownBlobs): KeptNode | undefined {
    const at = this.#attributesEnd(this.#stringEnd(RAW_TARGET, this.#stringEnd(TARGET, headEnd)));
    const { bytes } = this;
    if (type === 'file') {
      const isListed = this.#text.startsWith(CONTENT, at);
      const end = isListed ? this.#contentEnd(at + CONTENT.length, known) : undefined;
      return end !== undefined && bytes[end] === CLOSE ? { start, end: end + 1 } : undefined;
    }
    if (!this.#text.startsWith(NO_CONTENT, at)) return undefined;
    const end = at + NO_CONTENT.length;
    if (bytes[end] === CLOSE) return { start, end: end + 1 };
    const subtree = end + SUBTREE.length;
    const after = subtree + ID_DIGITS;
    const isFolder = this.#text.startsWith(SUBTREE, end) && bytes[after] === QUOTE && bytes[after + 1] === CLOSE;
    return isFolder ? { start, end: after + 2, subtree } : undefined;
  }

  #stringEnd(field: string, at: number): number {
    return this.#text.startsWith(field, at) ? endOfString(this.bytes, at + field.length - 1) + 1 : at;
  }

  #attributesEnd(at: number): number {
    if (!this.#text.startsWith(ATTRIBUTES, at)) return at;
    let end = at + ATTRIBUTES.length;
    while (this.bytes[end] !== CLOSE_LIST && end < this.#end)
      end = this.bytes[end] === COMMA ? end + 1 : endOfObject(this.bytes, end);
    return end + 1;
  }

  /** Behind the list of ids, if every one is known. */
  #contentEnd(first: number, known: KnownBlobs): number | undefined {
    const { bytes } = this;
    if (bytes[first] === CLOSE_LIST) return first + 1;
    for (let at = first; ; at += ID_DIGITS + 3) {
      const quote = at + ID_DIGITS + 1;
      if (bytes[at] !== QUOTE || !known.hasHex('data', bytes, at + 1) || bytes[quote] !== QUOTE) return undefined;
      if (bytes[quote + 1] === CLOSE_LIST) return quote + 2;
      if (bytes[quote + 1] !== COMMA) return undefined;
    }
  }

  /** Passes over nodes of earlier names. @returns whether the next node has this name */
  #seek(name: string): boolean {
    while (this.#at < this.#end) {
      const next = this.#nextName();
      if (next === undefined) return this.#giveUp();
      const order = next === name ? 0 : compareNames(next, name);
      if (order >= 0) return order === 0;
      this.#skipped = true;
      this.#passTo(endOfObject(this.bytes, this.#at));
    }
    return false;
  }

  #nextName(): string | undefined {
    if (!this.#text.startsWith(NAME, this.#at)) return undefined;
    const quote = this.#at + NAME.length - 1;
    const json = Buffer.from(this.bytes.subarray(quote, endOfString(this.bytes, quote) + 1)).toString();
    try {
      return goUnquote(JSON.parse(json) as string);
    } catch {
      return undefined;
    }
  }

  #giveUp(): false {
    this.#skipped = true;
    this.#at = this.#end;
    this.#parsed ??= nodesOf(this.bytes);
    return false;
  }

  #passTo(end: number): void {
    this.#at = this.bytes[end] === COMMA ? end + 1 : end;
  }
}

/** A parent that cannot be read is no parent: everything is read anew, and `check` tells of the damage. */
function nodesOf(tree: Uint8Array): ReadonlyMap<string, Node> {
  try {
    return new Map(parseTree(tree).map((node) => [node.name, node]));
  } catch {
    return new Map();
  }
}
