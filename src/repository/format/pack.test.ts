import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unpackBlob } from '../storage/blobs.ts';
import { generateKey, Sealer } from './crypto.ts';
import { hashId } from './id.ts';
import { type BlobType, type FinishedPack, headerSizeOf, PackBuilder, packSizeOf, parsePackHeader } from './pack.ts';

const sealer = new Sealer(generateKey());

function build(type: BlobType, plains: readonly Uint8Array[], level?: number): FinishedPack {
  const builder = new PackBuilder(type, sealer, level);
  for (const plain of plains) builder.add(hashId(plain), plain);
  return builder.finish();
}

function parse({ id, bytes }: FinishedPack, tail = bytes) {
  return parsePackHeader(id, tail, bytes.length, sealer);
}

const plains = fc.array(
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 300 }),
    fc.string({ minLength: 1 }).map((text) => Buffer.from(text.repeat(50))),
  ),
  { minLength: 1, maxLength: 20 },
);

describe('a pack', () => {
  test('is full before its header is longer than anybody reads', () => {
    const builder = new PackBuilder('data', sealer, undefined, { packBytes: 128 * 1024 * 1024 });
    const sealed = new Uint8Array(33);
    const blob = { id: '0'.repeat(64), type: 'data', offset: 0, length: 33, uncompressedLength: 1 } as const;
    while (!builder.isFull()) builder.addSealed(blob, sealed);
    expect(parse(builder.finish())).toHaveLength(Math.floor((16 * 1024 * 1024 - 32) / 41));
  });

  test('tells in its header what it holds, and every blob opens again', () => {
    fc.assert(
      fc.property(
        plains,
        fc.constantFrom('data', 'tree'),
        fc.constantFrom(undefined, 1, 3),
        (contents, type, level) => {
          const pack = build(type, contents, level);
          expect(pack.id).toBe(hashId(pack.bytes));
          expect(pack.bytes.length).toBe(packSizeOf(pack.blobs));
          expect(parse(pack)).toEqual(pack.blobs);
          for (const [i, blob] of pack.blobs.entries()) {
            const sealed = pack.bytes.subarray(blob.offset, blob.offset + blob.length);
            expect(Buffer.from(unpackBlob(sealer, sealed, blob))).toEqual(Buffer.from(contents[i] ?? []));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('fills the buffer of one that is written, and holds nothing of it', () => {
    const first = Buffer.alloc(5000, 'first');
    const second = Buffer.from('second');
    const builder = new PackBuilder('data', sealer, undefined);
    builder.add(hashId(first), first);
    const written = builder.finish();
    const { buffer } = written.bytes;
    builder.reuse(buffer);
    builder.add(hashId(second), second);
    const pack = builder.finish();
    expect(pack.bytes.buffer).toBe(buffer);
    expect(pack.bytes.length).toBeLessThan(written.bytes.length);
    expect(pack.id).toBe(hashId(pack.bytes));
    const [blob] = parse(pack);
    if (blob === undefined) throw new Error('no blob');
    expect(Buffer.from(unpackBlob(sealer, pack.bytes.subarray(0, blob.length), blob))).toEqual(second);
  });

  test('does not fill a buffer that is too small for it', () => {
    const builder = new PackBuilder('data', sealer, undefined);
    builder.reuse(new ArrayBuffer(64));
    const plain = Buffer.alloc(1000, 1);
    builder.add(hashId(plain), plain);
    expect(parse(builder.finish())).toHaveLength(1);
  });

  test('is read from its tail alone', () => {
    const pack = build('data', [Buffer.from('one'), Buffer.from('two')]);
    const size = headerSizeOf(pack.id, pack.bytes.subarray(-4), pack.bytes.length);
    expect(parse(pack, pack.bytes.subarray(-size))).toEqual(pack.blobs);
  });

  test('compresses data only where that helps, and trees always', () => {
    const text = Buffer.from('again and '.repeat(100));
    const short = Buffer.from('{"nodes":[]}\n');
    expect(build('data', [text], 3).blobs[0]?.uncompressedLength).toBe(text.length);
    expect(build('data', [short], 3).blobs[0]?.uncompressedLength).toBe(0);
    expect(build('tree', [short], 3).blobs[0]?.uncompressedLength).toBe(short.length);
    expect(build('tree', [text]).blobs[0]?.uncompressedLength).toBe(0);
  });

  test('grows beyond its usual size for a large blob, and is full then', () => {
    const builder = new PackBuilder('tree', sealer, undefined);
    const large = new Uint8Array(20_000_000).fill(7);
    builder.add(hashId(Buffer.from('a')), Buffer.from('a'));
    expect(builder.isFull()).toBe(false);
    builder.add(hashId(large), large);
    expect(builder.isFull()).toBe(true);
    const pack = builder.finish();
    expect(parse(pack)).toEqual(pack.blobs);
    expect(builder.count).toBe(0);
    expect(() => builder.finish()).toThrow('without blobs');
  });

  test('takes sealed blobs over as they are', () => {
    const from = build('data', [Buffer.from('some text '.repeat(90))], 3);
    const [blob] = from.blobs;
    if (blob === undefined) throw new Error('no blob');
    const builder = new PackBuilder('data', sealer, 3);
    builder.add(hashId(Buffer.from('x')), Buffer.from('x'));
    builder.addSealed(blob, from.bytes.subarray(blob.offset, blob.offset + blob.length));
    const pack = builder.finish();
    expect(parse(pack)).toEqual(pack.blobs);
    const copy = pack.blobs[1] ?? blob;
    expect(copy).toMatchObject({ id: blob.id, uncompressedLength: 900 });
    unpackBlob(sealer, pack.bytes.subarray(copy.offset, copy.offset + copy.length), copy);
  });

  test('that is damaged anywhere in its header is refused', () => {
    const pack = build('data', [Buffer.from('one'), Buffer.from('two')]);
    const header = headerSizeOf(pack.id, pack.bytes, pack.bytes.length);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: header }), fc.integer({ min: 1, max: 255 }), (fromEnd, change) => {
        const bytes = new Uint8Array(pack.bytes);
        const at = bytes.length - fromEnd;
        bytes[at] = (bytes[at] ?? 0) ^ change;
        expect(() => parsePackHeader(pack.id, bytes, bytes.length, sealer)).toThrow(pack.id);
      }),
    );
  });

  test('that is cut short anywhere is refused', () => {
    const pack = build('data', [Buffer.from('one'), Buffer.from('two')]);
    for (let length = 0; length < pack.bytes.length; length++) {
      const bytes = pack.bytes.subarray(0, length);
      expect(() => parsePackHeader(pack.id, bytes, length, sealer)).toThrow(
        expect.objectContaining({ code: 'repository-damaged' }) as Error,
      );
    }
  });

  test('of another size than its header describes is refused', () => {
    const pack = build('data', [Buffer.from('one')]);
    const longer = Buffer.concat([Buffer.from('x'), pack.bytes]);
    expect(() => parsePackHeader(pack.id, longer, longer.length, sealer)).toThrow('but its header describes');
  });
});

describe('a blob', () => {
  const content = Buffer.from('content');
  const { bytes, blobs } = build('data', [content]);
  const [blob] = blobs;
  if (blob === undefined) throw new Error('no blob');
  const sealed = bytes.subarray(0, blob.length);

  test('of another content than its id tells is refused', () => {
    const other = { ...blob, id: hashId(Buffer.from('other')) };
    expect(() => unpackBlob(sealer, sealed, other)).toThrow('does not match its id');
  });

  test('under another key is refused', () => {
    expect(() => unpackBlob(new Sealer(generateKey()), sealed, blob)).toThrow(blob.id);
  });

  test('that claims a compression it has not is refused', () => {
    expect(() => unpackBlob(sealer, sealed, { ...blob, uncompressedLength: 7 })).toThrow(blob.id);
  });
});
