import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeIndex, type IndexedPack } from '../format/index-file.ts';
import type { PackedBlob } from '../format/pack.ts';
import { idAt } from './id-words.ts';
import { BLOB_WORDS, scanIndex } from './index-scan.ts';

const id = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const size = fc.integer({ min: 0, max: 0xffff_ffff });
const blob: fc.Arbitrary<PackedBlob> = fc.record({
  id,
  type: fc.constantFrom('data', 'tree'),
  offset: size,
  length: fc.integer({ min: 32, max: 0xffff_ffff }),
  uncompressedLength: size,
});
const packs: fc.Arbitrary<IndexedPack[]> = fc.array(fc.record({ id, blobs: fc.array(blob) }));

function read(json: Uint8Array): IndexedPack[] | undefined {
  const scanned = scanIndex(json);
  if (scanned === undefined) return undefined;
  const { packIds, firstBlobs, blobs } = scanned;
  const blobAt = (n: number): PackedBlob => {
    const at = n * BLOB_WORDS;
    const [place, offset = 0, length = 0, uncompressedLength = 0] = blobs.subarray(at + 8, at + 12);
    return { id: idAt(blobs, at), type: place === 1 ? 'tree' : 'data', offset, length, uncompressedLength };
  };
  return firstBlobs.slice(0, -1).map((first, pack) => ({
    id: idAt(packIds, pack * 8),
    blobs: Array.from({ length: (firstBlobs[pack + 1] ?? 0) - first }, (_, i) => blobAt(first + i)),
  }));
}

describe('scanning an index file', () => {
  test('reads what is written', () => {
    fc.assert(
      fc.property(packs, (list) => {
        expect(read(encodeIndex(list))).toEqual(list);
      }),
    );
  });

  test('reads files of any length, whatever number begins or ends an entry where the kernel gets its next stretch', () => {
    const hex = (n: number): string => createHash('sha256').update(String(n)).digest('hex');
    const list = [5000, 1, 0, 3000].map((count, pack) => ({
      id: hex(-pack),
      blobs: Array.from({ length: count }, (_, n) => ({
        id: hex(n),
        type: n % 7 === 0 ? ('tree' as const) : ('data' as const),
        offset: 4 ** (n % 16),
        length: 32 + 3 ** (n % 20),
        uncompressedLength: n % 5 === 0 ? 0 : 5 ** (n % 13),
      })),
    }));
    expect(read(encodeIndex(list))).toEqual(list);
  });

  test('leaves every other form to the parser, damaged ones among them', () => {
    const list = [{ id: 'a'.repeat(64), blobs: [{ id: 'b'.repeat(64), type: 'data', offset: 1, length: 33 }] }];
    const json = JSON.stringify({ packs: list });
    expect(read(Buffer.from(json))).toHaveLength(1);
    expect(read(Buffer.from(JSON.stringify({ packs: list }, null, 1)))).toBeUndefined();
    expect(read(Buffer.from(JSON.stringify({ supersedes: [], packs: list })))).toBeUndefined();
    expect(read(Buffer.from(`${json}x`))).toBeUndefined();
    expect(read(Buffer.from(json.replace('"offset":1', '"offset":4294967296')))).toBeUndefined();
    expect(read(Buffer.from(json.replace('"offset":1', '"offset":')))).toBeUndefined();
    expect(read(Buffer.from(json.replace('"length":33', '"length":31')))).toBeUndefined();
    expect(read(Buffer.from(json.replace('bbbb', 'BBBB')))).toBeUndefined();
    for (let length = 0; length < json.length; length++)
      expect(read(Buffer.from(json.slice(0, length)))).toBeUndefined();
  });
});
