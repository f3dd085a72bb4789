import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeIndex, type IndexedPack, parseIndex } from './index-file.ts';
import type { PackedBlob } from './pack.ts';

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

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

describe('an index file', () => {
  test('reads as it was written', () => {
    fc.assert(
      fc.property(packs, (list) => {
        expect(parseIndex(encodeIndex(list)).packs).toEqual(list);
      }),
    );
  });

  test('is written byte for byte as restic writes it', () => {
    const blobs: PackedBlob[] = [
      { id: A, type: 'data', offset: 0, length: 38, uncompressedLength: 0 },
      { id: B, type: 'tree', offset: 38, length: 112, uncompressedLength: 511 },
    ];
    expect(Buffer.from(encodeIndex([{ id: B, blobs }])).toString()).toBe(
      `{"packs":[{"id":"${B}","blobs":[{"id":"${A}","type":"data","offset":0,"length":38},` +
        `{"id":"${B}","type":"tree","offset":38,"length":112,"uncompressed_length":511}]}]}\n`,
    );
  });

  test('of an old program may supersede others, and of any program may be empty', () => {
    expect(parseIndex(Buffer.from(`{"supersedes":["${A}"],"packs":[]}`))).toEqual({ supersedes: [A], packs: [] });
    expect(parseIndex(Buffer.from('{"packs":null}'))).toEqual({ supersedes: [], packs: [] });
  });

  const entry = { id: A, type: 'data', offset: 0, length: 33 };
  test.each([
    ['cut short', '{"packs":[{"id":'],
    ['a list', '[]'],
    ['without ids', JSON.stringify({ packs: [{ blobs: [] }] })],
    ['with a short id', JSON.stringify({ packs: [{ id: 'abc', blobs: [] }] })],
    ['without blobs', JSON.stringify({ packs: [{ id: A }] })],
    ['with an unknown type', JSON.stringify({ packs: [{ id: A, blobs: [{ ...entry, type: 'other' }] }] })],
    ['with a negative offset', JSON.stringify({ packs: [{ id: A, blobs: [{ ...entry, offset: -1 }] }] })],
    ['with a blob too short to be sealed', JSON.stringify({ packs: [{ id: A, blobs: [{ ...entry, length: 31 }] }] })],
    [
      'with a type that is no text',
      JSON.stringify({ packs: [{ id: A, blobs: [{ ...entry, type: { toString: 1 } }] }] }),
    ],
    ['with a fraction', JSON.stringify({ packs: [{ id: A, blobs: [{ ...entry, length: 1.5 }] }] })],
    ['with a length beyond 32 bits', JSON.stringify({ packs: [{ id: A, blobs: [{ ...entry, length: 2 ** 32 }] }] })],
  ])('that is %s is refused', (_, json) => {
    expect(() => parseIndex(Buffer.from(json))).toThrow(
      expect.objectContaining({ code: 'repository-damaged' }) as Error,
    );
  });
});
