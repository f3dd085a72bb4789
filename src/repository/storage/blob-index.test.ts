import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashId, type Id } from '../format/id.ts';
import type { BlobType, PackedBlob } from '../format/pack.ts';
import { BlobIndex } from './blob-index.ts';
import { KnownBlobs } from './known-blobs.ts';

/** Few ids, so that they meet; the same id as data and as tree. */
const ids = Array.from({ length: 12 }, (_, i) => hashId(Buffer.from([i])));
const types = ['data', 'tree'] as const;
const size = fc.integer({ min: 0, max: 0xffff_ffff });
const blob: fc.Arbitrary<PackedBlob> = fc.record({
  id: fc.constantFrom(...ids),
  type: fc.constantFrom(...types),
  offset: size,
  length: size,
  uncompressedLength: size,
});
const additions = fc.array(fc.record({ pack: fc.constantFrom(...ids.slice(0, 4)), blobs: fc.array(blob) }));

function key(type: BlobType, id: Id): string {
  return `${type} ${id}`;
}

function makeBlobs(count: number, seed: string): PackedBlob[] {
  return Array.from({ length: count }, (_, i) => ({
    id: hashId(Buffer.from(`${seed} ${i}`)),
    type: i % 2 === 0 ? 'data' : 'tree',
    offset: i * 100,
    length: 100,
    uncompressedLength: 0,
  }));
}

describe('the index', () => {
  test('finds what a map of lists would find', () => {
    fc.assert(
      fc.property(additions, (packs) => {
        const index = new BlobIndex();
        const model = new Map<string, (PackedBlob & { pack: Id })[]>();
        for (const { pack, blobs } of packs) {
          // A pack is added twice at the most: by a second index file, which says the same or more.
          index.add(pack, blobs);
          for (const each of blobs) {
            const places = model.get(key(each.type, each.id)) ?? [];
            places.push({ ...each, pack });
            model.set(key(each.type, each.id), places);
          }
        }
        const known = new KnownBlobs(structuredClone(index.shared()));
        for (const id of ids)
          for (const type of types) {
            const places = model.get(key(type, id)) ?? [];
            const found = index.findAll(type, id);
            expect(new Set(found.map((place) => JSON.stringify(sorted(place))))).toEqual(
              new Set(places.map((place) => JSON.stringify(sorted(place)))),
            );
            expect(index.find(type, id)).toEqual(found[0]);
            expect(index.has(type, id)).toBe(places.length > 0);
            expect(known.has(type, id)).toBe(places.length > 0);
          }
      }),
    );
  });

  test('lists every pack once, with its blobs by offset, however often it was added', () => {
    const index = new BlobIndex();
    const [pack = '', other = ''] = ids;
    const blobs = makeBlobs(4, 'a');
    index.add(pack, blobs.slice(2));
    index.add(other, makeBlobs(2, 'b'));
    index.add(pack, blobs);
    index.add(pack, blobs);
    const listed = [...index.packs()].map(({ id, blobs: found }) => [id, found.map((each) => each.offset)]);
    expect(listed).toEqual([
      [pack, [0, 100, 200, 300]],
      [other, [0, 100]],
    ]);
    expect(index.size).toBe(6);
  });

  test('tells the copies of a blob in other packs', () => {
    const index = new BlobIndex();
    const blobs = makeBlobs(3, 'a');
    index.add(ids[0] ?? '', blobs);
    index.add(ids[1] ?? '', blobs.slice(1));
    expect([0, 1, 2, 3, 4].map((row) => index.copiesOf(row))).toEqual([[0], [1, 3], [2, 4], [1, 3], [2, 4]]);
    expect([...index.firstCopies()]).toEqual([0, 1, 2, 1, 2]);
    expect([0, 3].map((row) => index.packId(index.packOf(row)))).toEqual([ids[0], ids[1]]);
  });

  test('takes at most 60 bytes a blob', () => {
    const index = new BlobIndex();
    for (let pack = 0; pack < 2000; pack++) index.add(hashId(Buffer.from(`pack ${pack}`)), makeBlobs(100, `${pack}`));
    expect(index.size).toBe(200_000);
    // The last segment may be nearly empty.
    expect(index.byteLength / index.size).toBeLessThan(60 + (2 ** 16 * 48) / index.size);
    expect(index.has('data', hashId(Buffer.from('1999 98')))).toBe(true);
    expect(index.has('tree', hashId(Buffer.from('1999 98')))).toBe(false);
  });

  test('that grows does not disturb a reader of what was shared before', () => {
    const index = new BlobIndex();
    const first = makeBlobs(700, 'first');
    index.add(ids[0] ?? '', first);
    const known = new KnownBlobs(structuredClone(index.shared()));
    index.add(ids[1] ?? '', makeBlobs(100_000, 'later'));
    expect(first.every(({ type, id }) => known.has(type, id))).toBe(true);
    expect(known.has('data', hashId(Buffer.from('never')))).toBe(false);
  });

  test('knows very many places of one blob, and adds none of them twice', () => {
    const index = new BlobIndex();
    const [pack, other] = [hashId(Buffer.from('pack')), hashId(Buffer.from('other'))];
    const id = hashId(Buffer.from('zeros'));
    const places = Array.from({ length: 5000 }, (_, i) => ({
      id,
      type: 'data' as const,
      offset: i * 100,
      length: 100,
      uncompressedLength: 0,
    }));
    index.add(pack, places.slice(0, 3000));
    index.add(pack, places);
    index.add(pack, places);
    index.add(other, places);
    index.add(other, places);
    expect(index.size).toBe(10_000);
    expect(index.findAll('data', id).map(({ offset }) => offset)).toEqual(
      [...places, ...places].map(({ offset }) => offset),
    );
    expect(index.find('tree', id)).toBeUndefined();
    expect(new Set(index.firstCopies())).toEqual(new Set([0]));
  });
});

function sorted(place: object): object {
  return Object.fromEntries(Object.entries(place).sort(([a], [b]) => (a < b ? -1 : 1)));
}
