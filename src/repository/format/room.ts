/**
 * Room that begins with a page of memory: what is in it can be written past the system's cache, for which the kernel
 * takes the bytes from where they are.
 */
import { requireKoffi } from '../koffi.ts';

const PAGE = 4096;

type AddressOf = (bytes: Uint8Array) => number;
let addressOf: AddressOf | null | undefined;

/** At least `length` bytes, all zero: those of the buffer from its first whole page on. */
export function newRoom(length: number): Uint8Array<ArrayBuffer> {
  return roomIn(new ArrayBuffer(length + PAGE));
}

/** The room in a buffer that `newRoom` made, wherever it has been since. Holds what it held. */
export function roomIn(buffer: ArrayBuffer): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(buffer);
  addressOf ??= loadAddressOf();
  // Where nobody can tell where the bytes are, the cache has to do.
  const beyond = addressOf === null || buffer.byteLength < PAGE ? 0 : addressOf(whole) % PAGE;
  return beyond === 0 ? whole : whole.subarray(PAGE - beyond);
}

/** Moving no bytes returns where they would have gone. */
function loadAddressOf(): AddressOf | null {
  try {
    const koffi = requireKoffi();
    const memmove = koffi.load(null).func('uint64_t memmove(void *to, const void *from, size_t size)');
    return (bytes) => Number(BigInt.asUintN(12, BigInt(memmove(bytes, bytes, 0) as number | bigint)));
  } catch {
    return null;
  }
}
