/** Little data that claims to be, or becomes, more than any memory holds. */
import { createZstdCompress } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { RespaldoError } from '../../src/errors.ts';
import { generateKey, Sealer } from '../../src/repository/format/crypto.ts';
import { unpackBlob } from '../../src/repository/storage/blobs.ts';

const MIB = 1024 * 1024;

/** A zstd frame of so many zeros, which does not say how many; made without ever having them all. */
async function zeros(mebibytes: number): Promise<Uint8Array> {
  const stream = createZstdCompress();
  const packed = Array.fromAsync(stream as AsyncIterable<Uint8Array>);
  for (let i = 0; i < mebibytes; i++) {
    if (!stream.write(Buffer.alloc(MIB))) await new Promise((resolve) => stream.once('drain', resolve));
  }
  stream.end();
  return Buffer.concat(await packed);
}

/** Most memory that the process ever had. */
function peak(): number {
  return process.resourceUsage().maxRSS / 1024;
}

describe('a blob', () => {
  const sealer = new Sealer(generateKey());
  const id = 'a'.repeat(64);

  it.each([
    ['data', 0xffff_ffff],
    ['data', 129 * MIB],
    ['data', 8 * MIB],
    ['tree', 8 * MIB],
  ] as const)('of type %s that claims %i bytes takes no more memory than that to refuse', async (type, claimed) => {
    const sealed = sealer.seal(await zeros(1024));
    expect(sealed.length).toBeLessThan(MIB);
    const before = peak();
    const blob = { id, type, offset: 0, length: sealed.length, uncompressedLength: claimed };
    expect(() => unpackBlob(sealer, sealed, blob)).toThrow(RespaldoError);
    expect(peak() - before).toBeLessThan(32);
  });
});
