/** Collects a directory's nodes in order: runs of finished ones, encoded, and between them those to be completed. */
import type { OpenNode } from './protocol.ts';

const COMMA = Buffer.from(',');

export class NodeRuns {
  readonly #parts: (Uint8Array | OpenNode)[] = [];
  /** Finished nodes since the last open one. */
  #run: Uint8Array[] = [];
  #encoded: string[] = [];
  /** Stored bytes that go on where the next kept node may begin. */
  #kept: { readonly tree: Uint8Array; readonly start: number; end: number } | undefined;
  #hasOpen = false;

  /** A node's JSON. */
  encoded(json: string): void {
    this.#endKept();
    this.#encoded.push(json);
  }

  /** A node as it stands in a stored tree; neighbours there stay together. */
  kept(tree: Uint8Array, start: number, end: number): void {
    if (this.#kept?.tree === tree && this.#kept.end + 1 === start) {
      this.#kept.end = end;
      return;
    }
    this.#endKept();
    this.#endEncoded();
    this.#kept = { tree, start, end };
  }

  open(node: OpenNode): void {
    this.#endRun();
    this.#parts.push(node);
    this.#hasOpen = true;
  }

  /** What was collected. Runs own their whole buffers, so that they can be moved to another thread. */
  finish(): { readonly parts: readonly (Uint8Array | OpenNode)[]; readonly hasOpen: boolean } {
    this.#endRun();
    return { parts: this.#parts, hasOpen: this.#hasOpen };
  }

  #endRun(): void {
    this.#endKept();
    this.#endEncoded();
    if (this.#run.length > 0) this.#parts.push(join(this.#run));
    this.#run = [];
  }

  #endEncoded(): void {
    if (this.#encoded.length > 0) this.#run.push(Buffer.from(this.#encoded.join(',')));
    this.#encoded = [];
  }

  #endKept(): void {
    if (this.#kept !== undefined) this.#run.push(this.#kept.tree.subarray(this.#kept.start, this.#kept.end));
    this.#kept = undefined;
  }
}

/** One behind the other, with commas between, alone in a new buffer. */
function join(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length + 1, -1));
  let at = 0;
  for (const piece of pieces) {
    if (at > 0) joined.set(COMMA, at++);
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
