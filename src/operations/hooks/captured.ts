/** Bytes of what a hook printed that are kept. */
const KEPT_BYTES = 8 * 1024;

/** The end of what somebody prints: why it failed mostly stands there. */
export class Ending {
  #kept = Buffer.alloc(0);
  #isCut = false;

  add(piece: Uint8Array): void {
    const all = Buffer.concat([this.#kept, piece.subarray(-KEPT_BYTES)]);
    this.#isCut ||= all.length > KEPT_BYTES || piece.length > KEPT_BYTES;
    this.#kept = all.subarray(-KEPT_BYTES);
  }

  toString(): string {
    const text = this.#kept.toString('utf8').trim();
    return this.#isCut ? `… ${text}` : text;
  }
}
