/** Everything that reads stored bytes, given bytes that nobody stored in good faith. */
import fc from 'fast-check';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseTimestamp, wallClock } from '../../src/domain/timestamp.ts';
import { systemClock } from '../../src/clock.ts';
import { RespaldoError } from '../../src/errors.ts';
import { compress, decompress } from '../../src/repository/format/compress.ts';
import { encodeConfig, parseConfig } from '../../src/repository/format/config.ts';
import { generateKey, Sealer } from '../../src/repository/format/crypto.ts';
import { hashId } from '../../src/repository/format/id.ts';
import { encodeIndex, parseIndex } from '../../src/repository/format/index-file.ts';
import { createKeyFile, describeKeyFile, openKeyFile } from '../../src/repository/format/key.ts';
import { encodeNode, type Node } from '../../src/repository/format/node.ts';
import { PackBuilder, parsePackHeader } from '../../src/repository/format/pack.ts';
import { randomPolynomial } from '../../src/repository/format/polynomial.ts';
import { encodeSnapshot, parseSnapshot } from '../../src/repository/format/snapshot-record.ts';
import { parseTime } from '../../src/repository/format/time.ts';
import { encodeTree, parseTree } from '../../src/repository/format/tree.ts';
import { treeNodes } from '../../src/repository/format/tree-nodes.ts';
import { BlobIndex } from '../../src/repository/storage/blob-index.ts';
import { unpackBlob } from '../../src/repository/storage/blobs.ts';
import {
  describeLock,
  encodeLockFile,
  isStale,
  newLockFile,
  parseLockFile,
} from '../../src/repository/storage/lock-file.ts';
import { fileNode, folderNode, symlinkNode } from '../fixtures/crafted-repository.ts';
import { everyMutation, mutatedBytes, mutatedJson } from '../fixtures/mutations.ts';
import { QUICK_KDF } from '../fixtures/repository.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const TIME = '2024-05-06T07:08:09.123456789+02:00';
const RUNS = { numRuns: 2000 };
const sealer = new Sealer(generateKey());

/** What the parser makes of the bytes, or undefined if it refuses them as one should. Anything else fails the test. */
function outcome<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof RespaldoError)) throw error;
    expect(['repository-damaged', 'repository-unsupported']).toContain(error.code);
    expect(error.message.length).toBeLessThan(200_000);
    return undefined;
  }
}

/** Tries every single mutation of the JSON samples, and many mixed ones. */
function withEach(
  samples: readonly unknown[],
  others: fc.Arbitrary<Uint8Array>,
  test: (bytes: Uint8Array) => void,
): void {
  for (const bytes of everyMutation(samples)) {
    try {
      test(bytes);
    } catch (error) {
      throw new Error(`with ${shorten(Buffer.from(bytes).toString())}`, { cause: error });
    }
  }
  fc.assert(fc.property(fc.oneof(mutatedJson(samples), others), test), RUNS);
}

function shorten(text: string): string {
  return text.length > 2000 ? `${text.slice(0, 1000)} … ${text.slice(-1000)}` : text;
}

function json(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString());
}

describe('malformed bytes are refused, or read as something sound, by what reads', () => {
  it('an index', () => {
    const blobs = [
      { id: A, type: 'data', offset: 0, length: 40, uncompressedLength: 0 },
      { id: B, type: 'tree', offset: 40, length: 50, uncompressedLength: 90 },
    ] as const;
    const stored = encodeIndex([
      { id: B, blobs },
      { id: A, blobs: [] },
    ]);
    withEach([json(stored), { supersedes: [A], packs: null }], mutatedBytes([stored]), (bytes) => {
      const parsed = outcome(() => parseIndex(bytes));
      const index = new BlobIndex();
      const loaded = outcome(() => (index.addFile(A, bytes), [...index.packs()]));
      expect(loaded === undefined).toBe(parsed === undefined);
      expect(loaded?.reduce((count, pack) => count + pack.blobs.length, 0)).toBe(loaded && index.size);
    });
  });

  it('a tree', () => {
    const nodes: Node[] = [
      fileNode('a "quoted" \udcff name', [A, B], { inode: 2n ** 64n - 1n, links: 2, deviceId: 7n, size: 9 }),
      folderNode('folder', A, { extendedAttributes: [{ name: 'user.a', value: 'YQ==' }] }),
      { ...symlinkNode('link', 'to/\udc80'), unknown: { new: [{ of: 'us' }] }, genericAttributes: { windows: 1 } },
    ];
    const stored = encodeTree(nodes.map(encodeNode));
    withEach([json(stored)], mutatedBytes([stored]), (bytes) => {
      const parsed = outcome(() => parseTree(bytes));
      expect(outcome(() => [...treeNodes(bytes)])).toEqual(parsed);
      for (const node of parsed ?? []) {
        expect(node.name).toMatch(/^[^/\0]+$/);
        expect(['.', '..']).not.toContain(node.name);
        expect(structuredClone(node).name).toBe(node.name);
      }
      if (parsed !== undefined) expect(names(parseTree(encodeTree(parsed.map(encodeNode))))).toEqual(names(parsed));
    });
  });

  it('a tree of many parts', () => {
    const nodes = Array.from({ length: 4000 }, (_, n) =>
      encodeNode(fileNode(`file ${String(n).padStart(6, '0')}`, [A])),
    );
    const stored = encodeTree(nodes);
    fc.assert(
      fc.property(mutatedBytes([stored]), (bytes) => {
        const piecewise = outcome(() => [...treeNodes(bytes)]);
        const whole = outcome(() => parseTree(bytes));
        // Only the order of names is demanded of large ones alone.
        if (piecewise !== undefined) expect(piecewise).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('a snapshot', () => {
    const record = { time: TIME, tree: A, paths: ['/a'], hostname: 'h', username: 'u', tags: ['t'], parent: B };
    const stored = encodeSnapshot({ ...record, excludes: ['x'], uid: 1000, gid: 100, original: B });
    withEach([json(stored)], mutatedBytes([stored]), (bytes) => {
      const parsed = outcome(() => parseSnapshot(B, bytes));
      if (parsed === undefined) return;
      expect(parseTime(parsed.time)).toBeTypeOf('bigint');
      expect(wallClock(parseTimestamp(parsed.time)).getTime()).not.toBeNaN();
      const { id, ...again } = parsed;
      expect(parseSnapshot(id, encodeSnapshot(again)).time).toBe(parsed.time);
    });
  });

  it('a config', () => {
    const stored = encodeConfig({ version: 2, id: A, polynomial: randomPolynomial() });
    withEach([json(stored)], mutatedBytes([stored]), (bytes) => {
      const parsed = outcome(() => parseConfig(bytes));
      if (parsed !== undefined) expect([1, 2]).toContain(parsed.version);
    });
  });

  it('a lock', () => {
    const process = { boot: 'b', namespace: 'n', started: '1' };
    const own = { ...newLockFile(true, systemClock), hostname: hostname() };
    const samples = [own, { ...own, process }].map((lock) => json(encodeLockFile(lock)));
    withEach(samples, mutatedBytes([encodeLockFile(own)]), (bytes) => {
      const lock = outcome(() => parseLockFile(bytes));
      if (lock === undefined) return;
      expect(isStale(lock, systemClock)).toBeTypeOf('boolean');
      expect(describeLock(lock, systemClock)).not.toContain('NaN');
    });
  });

  it('a key', async () => {
    const owner = { username: 'u', hostname: 'h', created: new Date(0) };
    const stored = await createKeyFile(generateKey(), 'secret', owner, QUICK_KDF);
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutatedJson([json(stored)]), mutatedBytes([stored])), async (bytes) => {
        const described = outcome(() => describeKeyFile(bytes));
        if (described !== undefined) fc.pre(isQuick(json(bytes)));
        const opened = await openKeyFile(bytes, 'secret').catch((error: unknown) => outcome(() => raise(error)));
        if (described === undefined) expect(opened).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  it('a pack’s header', () => {
    const builder = new PackBuilder('data', sealer, 1);
    for (const text of ['one', 'two'.repeat(100), 'three']) builder.add(hashId(Buffer.from(text)), Buffer.from(text));
    const pack = builder.finish();
    const total = Buffer.from(pack.bytes).readUInt32LE(pack.bytes.length - 4);
    const header = sealer.open(pack.bytes.subarray(pack.bytes.length - 4 - total, pack.bytes.length - 4));
    const size = fc.oneof(fc.constant(undefined), fc.nat(), fc.constantFrom(0, 2 ** 32, Number.MAX_SAFE_INTEGER));
    const forged = fc.tuple(mutatedBytes([header]), size).map(([bytes, size]) => ({ ...tailOf(bytes), size }));
    const broken = mutatedBytes([pack.bytes]).map((tail) => ({ tail, size: undefined }));
    fc.assert(
      fc.property(fc.oneof(forged, broken), ({ tail, size = tail.length }) => {
        // Whoever reads a pack takes its tail from the store, and has as much of it as the store has.
        const blobs = outcome(() => parsePackHeader(pack.id, tail, Math.min(size, tail.length), sealer));
        expect(blobs?.every(({ offset, length }) => offset + length <= tail.length) ?? true).toBe(true);
      }),
      RUNS,
    );
  });

  it('sealed and compressed blobs', () => {
    const plain = Buffer.from('text that becomes shorter '.repeat(20));
    const packed = Uint8Array.from(compress(plain, 1));
    const length = fc.constantFrom(0, 1, plain.length, 2 ** 20, 2 ** 27, 0xffff_ffff);
    const type = fc.constantFrom('data' as const, 'tree' as const);
    fc.assert(
      fc.property(mutatedBytes([packed]), fc.boolean(), length, type, (bytes, isSealed, uncompressedLength, type) => {
        const sealed = isSealed ? sealer.seal(bytes) : bytes;
        const blob = { id: hashId(plain), type, offset: 0, length: sealed.length, uncompressedLength };
        const content = outcome(() => unpackBlob(sealer, sealed, blob));
        if (content !== undefined) expect(plain.equals(content)).toBe(true);
        outcome(() => decompress(bytes));
      }),
      RUNS,
    );
  });
});

function names(nodes: readonly Node[]): string[] {
  return nodes.map(({ name }) => name);
}

function raise(error: unknown): never {
  throw error;
}

/** Whether deriving the key takes no time worth mentioning, or is refused at once. */
function isQuick(file: unknown): boolean {
  const { N, r, p } = file as Record<'N' | 'r' | 'p', number>;
  const cost = N * r * p;
  return cost <= 2 ** 18 || cost > 2 ** 30;
}

/** A pack of nothing but this header, truly sealed. */
function tailOf(header: Uint8Array): { readonly tail: Uint8Array } {
  const sealed = sealer.seal(header);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(sealed.length);
  return { tail: Buffer.concat([sealed, length]) };
}
