/**
 * zstd with contexts that outlive a call: three times as fast for small blobs as `node:zlib`, which sets up everything
 * anew for each.
 *
 * The functions are those of the library inside the Node executable, called by its public C interface. A context belongs
 * to one thread, so each thread that loads this module makes its own; a package that shares one between threads corrupts
 * memory.
 */
import type Koffi from 'koffi';
import { requireKoffi } from '../koffi.ts';

export interface Zstd {
  /** One frame that tells its content's size: a view that the next call in the same thread may overwrite. */
  compress(plain: Uint8Array, level: number): Uint8Array;
  /**
   * Exactly `size` bytes, at the beginning of `room` if that is given and has space for them.
   * @throws Error where the data gives anything else.
   */
  decompress(packed: Uint8Array, size: number, room?: Uint8Array): Uint8Array;
}

/** Target buffers up to this size are kept for the next call. */
const MAX_KEPT = 9 * 1024 * 1024;

/** Undefined where this Node or this system does not allow it. */
export function loadZstd(): Zstd | undefined {
  try {
    return bind(requireKoffi());
  } catch {
    return undefined;
  }
}

function bind(koffi: typeof Koffi): Zstd {
  const library = koffi.load(null);
  const isError = library.func('unsigned int ZSTD_isError(size_t code)');
  const errorName = library.func('const char *ZSTD_getErrorName(size_t code)');
  const bound = library.func('size_t ZSTD_compressBound(size_t size)');
  const compress = library.func(
    'size_t ZSTD_compressCCtx(void *context, void *target, size_t capacity, void *source, size_t size, int level)',
  );
  const decompress = library.func(
    'size_t ZSTD_decompressDCtx(void *context, void *target, size_t capacity, void *source, size_t size)',
  );
  const compressor: unknown = library.func('void *ZSTD_createCCtx()')();
  const decompressor: unknown = library.func('void *ZSTD_createDCtx()')();
  if (compressor === null || decompressor === null) throw new Error('zstd: no memory for its contexts');
  const freeCompressor = library.func('size_t ZSTD_freeCCtx(void *context)');
  const freeDecompressor = library.func('size_t ZSTD_freeDCtx(void *context)');
  process.once('exit', () => {
    freeCompressor(compressor);
    freeDecompressor(decompressor);
  });

  function lengthOf(result: unknown): number {
    if (isError(result)) throw new Error(`zstd: ${String(errorName(result))}`);
    return Number(result);
  }

  let kept = Buffer.alloc(0);
  return {
    compress(plain, level) {
      const capacity = Number(bound(plain.length));
      const target = capacity <= kept.length ? kept : Buffer.allocUnsafeSlow(capacity);
      if (capacity <= MAX_KEPT) kept = target;
      const length = lengthOf(compress(compressor, target, target.length, plain, plain.length, level));
      return target.subarray(0, length);
    },
    decompress(packed, size, room) {
      const plain = room !== undefined && room.length >= size ? room.subarray(0, size) : Buffer.allocUnsafeSlow(size);
      const length = lengthOf(decompress(decompressor, plain, size, packed, packed.length));
      if (length !== size) throw new Error(`zstd: ${String(length)} bytes instead of ${String(size)}`);
      return plain;
    },
  };
}
