/** A stored tree's bytes, cut between nodes without parsing them all: a directory of a million names stays affordable. */
import { compareNames } from '../../domain/name.ts';
import { endOfString } from '../format/json-scan.ts';
import { goUnquote } from '../format/quote.ts';
import { release } from '../workers/release.ts';

const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export class StoredTree {
  readonly #bytes: Uint8Array;
  /** Start and end of each node, one behind the other. */
  readonly #edges: Uint32Array;

  /** `bytes`: `{"nodes":[…]}`, nodes in the order of their names' bytes. What is not of that form has no nodes. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#edges = findNodes(bytes);
  }

  get count(): number {
    return this.#edges.length / 2;
  }

  /** A tree of the nodes whose names lie between the two, both included. */
  between(first: string, last: string): Uint8Array {
    const from = this.#search((name) => compareNames(name, first) >= 0);
    const to = this.#search((name) => compareNames(name, last) > 0);
    const start = this.#edges[from * 2] ?? 0;
    const end = this.#edges[to * 2 - 1] ?? 0;
    const nodes = from < to ? this.#bytes.subarray(start, end) : new Uint8Array(0);
    return Buffer.concat([Buffer.from('{"nodes":['), nodes, Buffer.from(']}\n')]);
  }

  /** Gives the memory back; nothing can be asked afterwards. */
  release(): void {
    release(this.#bytes);
  }

  /** The first node for which `isPast` holds; it must hold for all that follow. */
  #search(isPast: (name: string) => boolean): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isPast(this.#nameAt(middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #nameAt(node: number): string {
    const text = Buffer.from(this.#bytes.subarray(this.#edges[node * 2], this.#edges[node * 2 + 1])).toString();
    const { name } = JSON.parse(text) as { name?: unknown };
    return typeof name === 'string' ? goUnquote(name) : '';
  }
}

/** Objects at the second level are the nodes; braces within strings do not count. */
function findNodes(bytes: Uint8Array): Uint32Array {
  const edges: number[] = [];
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === OPEN_BRACE && ++depth === 2) edges.push(at);
    else if (byte === CLOSE_BRACE && --depth === 1) edges.push(at + 1);
  }
  return edges.length % 2 === 0 ? Uint32Array.from(edges) : new Uint32Array(0);
}
