const MAGIC = 0xfd2f_b528;
const DESCRIPTOR = 4;
const SINGLE_SEGMENT = 0x20;
/** Bytes of a dictionary's number, by the descriptor's lowest two bits. */
const DICTIONARY_BYTES = [0, 1, 2, 4];
/** What the two-byte form counts from. */
const SHORT_BASE = 256;

/**
 * How many bytes a zstd frame says that it holds (RFC 8878, 3.1.1.1), so that nobody makes room for a size that the data
 * itself contradicts. Undefined if it says nothing, or is no such frame.
 */
export function declaredSize(frame: Uint8Array): number | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < DESCRIPTOR + 1 || view.getUint32(0, true) !== MAGIC) return undefined;
  const descriptor = view.getUint8(DESCRIPTOR);
  const isSingle = (descriptor & SINGLE_SEGMENT) !== 0;
  const form = descriptor >>> 6;
  const at = DESCRIPTOR + 1 + (isSingle ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 3] ?? 0);
  if (form === 0 && !isSingle) return undefined;
  if (frame.length < at + (1 << form)) return undefined;
  if (form === 0) return view.getUint8(at);
  if (form === 1) return view.getUint16(at, true) + SHORT_BASE;
  return form === 2 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
