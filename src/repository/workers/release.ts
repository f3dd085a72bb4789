/**
 * Gives the memory behind `bytes` back at once. A thread that makes few objects of its own collects its garbage
 * rarely, and megabytes that only a small object holds would pile up meanwhile. The bytes are gone afterwards.
 */
export function release(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer && !bytes.buffer.detached) bytes.buffer.transfer(0);
}
