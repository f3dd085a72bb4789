/**
 * Gives the memory behind `bytes` back at once. A thread that makes few objects of its own collects its garbage
 * rarely, and megabytes that only a small object holds would pile up meanwhile. The bytes are gone afterwards.
 */
export function release(bytes: Uint8Array | Uint32Array): void {
  if (bytes.buffer instanceof ArrayBuffer && !bytes.buffer.detached) bytes.buffer.transfer(0);
}

/** Bytes above this size are worth to be given back before the collector finds them. */
const LARGE = 16 * 1024;

/** The same for what takes much, and has a buffer of its own; for the rest the collector is quicker. */
export function releaseIfLarge(bytes: Uint8Array): void {
  if (bytes.length > LARGE && bytes.length === bytes.buffer.byteLength) release(bytes);
}
