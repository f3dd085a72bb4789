import { RespaldoError } from '../errors.ts';

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MASK = 0xfffffff0;
const SKIPPABLE_MAGIC = 0x184d2a50;
export const FOREIGN = 'it is not compressed by zstd';
export const CUT = 'it is cut short';
/** Larger than any frame that is written here; what has no bound could fill the memory. */
const LARGEST_FRAME = 64 * 1024 * 1024;

/**
 * The frames of a Zstandard stream, each whole (RFC 8878, section 3.1). For decompressors that stop after the first.
 * @throws RespaldoError `source-damaged` for what is no such stream, or is cut short.
 */
export async function* zstdFrames(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  let wanted = 1;
  for await (const piece of content) {
    held = held.length === 0 ? Buffer.from(piece.buffer, piece.byteOffset, piece.length) : Buffer.concat([held, piece]);
    while (held.length >= wanted) {
      const { length, isWhole } = frameLength(held);
      wanted = length;
      if (length > LARGEST_FRAME) throw damaged('a frame of it is larger than any that is written');
      if (!isWhole || held.length < length) continue;
      yield held.subarray(0, length);
      held = held.subarray(length);
      wanted = 1;
    }
  }
  if (held.length > 0) throw damaged(CUT);
}

/** How long the frame at the beginning is, or, if too little of it is here to tell, how much is needed for the next step. */
function frameLength(bytes: Buffer): { readonly length: number; readonly isWhole: boolean } {
  const atLeast = (length: number) => ({ length, isWhole: false });
  if (bytes.length < 5) return atLeast(5);
  const magic = bytes.readUInt32LE(0);
  if (isSkippable(magic)) return bytes.length < 8 ? atLeast(8) : { length: 8 + bytes.readUInt32LE(4), isWhole: true };
  if (!isFrame(magic)) throw damaged(FOREIGN);
  const descriptor = bytes[4] ?? 0;
  let at = 5 + headerRest(descriptor);
  for (;;) {
    if (bytes.length < at + BLOCK_HEADER) return atLeast(at + BLOCK_HEADER);
    const { length, isLast } = blockOf(bytes.readUIntLE(at, BLOCK_HEADER));
    at += BLOCK_HEADER + length;
    if (isLast) return { length: at + checksumLength(descriptor), isWhole: true };
  }
}

/** The number that a frame begins with. */
export function isFrame(magic: number): boolean {
  return magic === FRAME_MAGIC;
}

/** The number that something begins with which readers pass over: its length follows. */
export function isSkippable(magic: number): boolean {
  return (magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC;
}

/** Bytes of the header of a block. */
export const BLOCK_HEADER = 3;

/** How many bytes follow the header of a block, and whether it is the frame's last one. */
export function blockOf(header: number): { readonly length: number; readonly isLast: boolean } {
  const kind = (header >> 1) & 3;
  if (kind === 3) throw damaged('a block of it is of no known kind');
  // A run of one byte takes one.
  return { length: kind === 1 ? 1 : header >> 3, isLast: (header & 1) === 1 };
}

/** Bytes behind the last block. */
export function checksumLength(descriptor: number): number {
  return (descriptor & 4) === 0 ? 0 : 4;
}

/** Bytes of the header behind its descriptor. */
export function headerRest(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const contentSize = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return (isSingleSegment ? 0 : 1) + dictionary + contentSize;
}

export function damaged(why: string): RespaldoError {
  return new RespaldoError('source-damaged', `the compressed content is damaged: ${why}`);
}
