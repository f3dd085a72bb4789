/** Zstandard, as restic's format version 2 stores blobs and JSON objects. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { RespaldoError } from '../../errors.ts';

/** A good ratio for little time: about what restic's "auto" gives. */
const DEFAULT_LEVEL = 3;
/** Bytes that data of unknown size may expand to: more than any index, less than a JavaScript string can hold. */
const MAX_UNKNOWN = 512 * 1024 * 1024;

/** One zstd frame that tells its content's size. */
export function compress(plain: Uint8Array, level = DEFAULT_LEVEL): Uint8Array {
  return zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

/**
 * What was compressed. `size`: the exact number of bytes it must have.
 * @throws RespaldoError `repository-damaged` for data that is not zstd's, or of another size, or absurdly large.
 */
export function decompress(packed: Uint8Array, size?: number): Uint8Array {
  let plain: Uint8Array;
  try {
    plain = zstdDecompressSync(packed, { maxOutputLength: size === undefined ? MAX_UNKNOWN : Math.max(size, 1) });
  } catch (cause) {
    throw damaged('it does not decompress', cause);
  }
  if (size !== undefined && plain.length !== size) {
    throw damaged(`it decompresses to ${String(plain.length)} bytes instead of ${String(size)}`);
  }
  return plain;
}

function damaged(why: string, cause?: unknown): RespaldoError {
  return new RespaldoError('repository-damaged', `stored data is damaged: ${why}`, {
    hint: 'Run `respaldo check --read-data` to see everything that is affected.',
    cause,
  });
}
