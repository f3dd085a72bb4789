/** Collects a directory's nodes in order: runs of finished ones, encoded, and between them those to be completed. */
import type { OpenNode } from './protocol.ts';

const COMMA = 0x2c;
/** A UTF-16 unit takes at most this many bytes of UTF-8. */
const MOST_BYTES = 3;
const FIRST_ROOM = 256 * 1024;

/** The run being written, of whichever directory this thread is reading; strings kept for long would burden the collector. */
let scratch = Buffer.allocUnsafeSlow(FIRST_ROOM);

export class NodeRuns {
  readonly #parts: (Uint8Array | OpenNode)[] = [];
  /** Bytes of the finished nodes since the last open one, in the scratch. */
  #length = 0;
  /** Stored bytes that go on where the next kept node may begin. */
  #kept: { readonly tree: Uint8Array; readonly start: number; end: number } | undefined;
  #hasOpen = false;

  /** A node's JSON. */
  encoded(json: string): void {
    this.#endKept();
    this.#reserve(json.length * MOST_BYTES);
    this.#length += scratch.write(json, this.#length);
  }

  /** A node as it stands in a stored tree; neighbours there stay together. */
  kept(tree: Uint8Array, start: number, end: number): void {
    if (this.#kept?.tree === tree && this.#kept.end + 1 === start) {
      this.#kept.end = end;
      return;
    }
    this.#endKept();
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
    if (this.#length > 0) this.#parts.push(new Uint8Array(scratch.subarray(0, this.#length)));
    this.#length = 0;
  }

  #endKept(): void {
    if (this.#kept === undefined) return;
    const { tree, start, end } = this.#kept;
    this.#kept = undefined;
    this.#reserve(end - start);
    scratch.set(tree.subarray(start, end), this.#length);
    this.#length += end - start;
  }

  /** Makes room for another node, behind a comma. */
  #reserve(bytes: number): void {
    if (this.#length + bytes + 1 > scratch.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (this.#length + bytes + 1));
      scratch.copy(larger, 0, 0, this.#length);
      scratch = larger;
    }
    if (this.#length > 0) scratch[this.#length++] = COMMA;
  }
}
