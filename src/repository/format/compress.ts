/** Zstandard, as restic's format version 2 stores blobs and JSON objects. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { RespaldoError } from '../../errors.ts';
import { declaredSize } from './zstd-frame.ts';
import { loadZstd, type Zstd } from './zstd.ts';

/** A good ratio for little time: about what restic's "auto" gives. */
const DEFAULT_LEVEL = 3;
/** Bytes that data of unknown size may expand to: about the longest JSON that JavaScript can hold as a string. */
const MAX_UNKNOWN = 512 * 1024 * 1024;

/** What `node:zlib` offers: the same frames, at a higher cost for small ones. */
const portable: Zstd = {
  compress: (plain, level) => zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: level } }),
  decompress(packed, size) {
    const plain = zstdDecompressSync(packed, { maxOutputLength: Math.max(size, 1) });
    if (plain.length !== size) throw new Error(`${String(plain.length)} bytes instead of ${String(size)}`);
    return plain;
  },
};

/** Room is made at once for data that says it expands no further than this; JSON with ids in it halves. */
const BELIEVED_RATIO = 16;

/** Sizes above this are compared with what the frame says before there is room for them. */
const LARGE = 1024 * 1024;

function refuseOtherSize(packed: Uint8Array, size: number): void {
  const declared = declaredSize(packed);
  if (declared !== undefined && declared !== size)
    throw new Error(`${String(declared)} bytes instead of ${String(size)}`);
}

let loaded: Zstd | undefined;

function zstd(): Zstd {
  return (loaded ??= loadZstd() ?? portable);
}

/** One zstd frame that tells its content's size: a view that the next call in the same thread may overwrite. */
export function compress(plain: Uint8Array, level = DEFAULT_LEVEL): Uint8Array {
  return zstd().compress(plain, level);
}

/**
 * What was compressed. `size`: the exact number of bytes it must have, where that is known; they may then be put into
 * `room`, if it has space for them.
 * @throws RespaldoError `repository-damaged` for data that is not zstd's, or of another size, or absurdly large.
 */
export function decompress(packed: Uint8Array, size?: number, room?: Uint8Array): Uint8Array {
  try {
    if (size !== undefined) {
      if (size > LARGE) refuseOtherSize(packed, size);
      return zstd().decompress(packed, size, room);
    }
    const declared = declaredSize(packed);
    if (declared !== undefined && declared > 0 && declared <= Math.max(LARGE, packed.length * BELIEVED_RATIO))
      return zstd().decompress(packed, declared);
    return zstdDecompressSync(packed, { maxOutputLength: MAX_UNKNOWN });
  } catch (cause) {
    const expected = size === undefined ? '' : ` to ${String(size)} bytes`;
    throw new RespaldoError('repository-damaged', `stored data is damaged: it does not decompress${expected}`, {
      hint: 'Run `respaldo check --read-data` to see everything that is affected.',
      cause,
    });
  }
}
