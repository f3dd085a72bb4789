/** Bytes. What is smaller may share its memory with others, and is not worth it. */
const WORTH_IT = 4096;

/**
 * Gives the memory of a piece back that nobody else reads, now: the garbage collector, which counts what lies outside of
 * its heap, would look through all of the heap for every few megabytes that pass. The piece is empty afterwards. Leaves
 * alone what is only a part of its memory.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < WORTH_IT || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}
