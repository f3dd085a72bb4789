import { beforeAll, describe, expect, it } from 'vitest';
import { CountingStore } from '../../../test/fixtures/counting-store.ts';
import { damage } from '../../../test/fixtures/damage.ts';
import { NEVER, newRepository, noise, PASSWORD } from '../../../test/fixtures/repository.ts';
import type { Entry } from '../../domain/entry.ts';
import { dumpMetadata } from '../../sources/server/dump-metadata.ts';
import { MemoryStore } from '../../stores/memory.ts';
import { openRepository } from '../index.ts';
import type { ListedNode } from '../repository.ts';

const MIB = 1024 * 1024;
/** What comes twice, some of it in the same window, is stored once. */
const CONTENT = Buffer.concat([noise(1, 3 * MIB), Buffer.alloc(20 * MIB), noise(2, 2 * MIB), noise(1, 3 * MIB)]);

let store: MemoryStore;
beforeAll(async () => {
  store = new MemoryStore();
  await using stack = new AsyncDisposableStack();
  const repository = await newRepository(store);
  stack.defer(() => repository.close());
  const about = { time: new Date(), hostname: 'host', username: 'maria', paths: ['/'], tags: [], excludes: [] };
  const file = { kind: 'file', path: '/dump.sql', metadata: dumpMetadata(), cut: { average: 16 * 1024 } } as const;
  const entries = async function* (): AsyncGenerator<Entry> {
    yield await Promise.resolve({ ...file, content: [CONTENT] });
  };
  await repository.save(entries(), about, {}, NEVER);
});

async function opened<T>(from: CountingStore, work: (file: ListedNode, bytes: AsyncIterable<Uint8Array>) => T) {
  await using stack = new AsyncDisposableStack();
  const repository = await openRepository(from, PASSWORD, {}, NEVER);
  stack.defer(() => repository.close());
  const [snapshot] = await repository.snapshots({}, NEVER);
  if (snapshot === undefined) throw new Error('there is no snapshot');
  for await (const node of repository.list(snapshot, {}, NEVER))
    if (node.type === 'file') return await work(node, repository.content(node, NEVER));
  throw new Error('there is no file');
}

describe('The content of a file', () => {
  it('comes in pieces that are the reader’s own, although blobs are in it several times', async () => {
    const pieces = await opened(new CountingStore(store), async (_file, bytes) => {
      const copies: Uint8Array[] = [];
      for await (const piece of bytes) {
        copies.push(Uint8Array.from(piece));
        piece.fill(0xff);
      }
      return copies;
    });
    expect(Buffer.concat(pieces).equals(CONTENT)).toBe(true);
    expect(pieces.length).toBeLessThan(CONTENT.length / MIB + 20);
  });

  it('is asked for in few requests: what lies together is read at once', async () => {
    const counted = new CountingStore(store);
    const blobs = await opened(counted, async ({ content }, bytes) => {
      counted.reads.length = 0;
      for await (const _piece of bytes);
      return new Set(content).size;
    });
    expect(blobs).toBeGreaterThan(200);
    expect(counted.reads.filter((key) => key.startsWith('data/')).length).toBeLessThan(blobs / 10);
  });

  it('that is damaged names the file, the blob and the pack', async () => {
    const copy = new MemoryStore();
    for await (const { key } of store.list('', NEVER))
      await copy.write(key, await store.read(key, undefined, NEVER), NEVER);
    const counted = new CountingStore(copy);
    await opened(counted, async (_file, bytes) => {
      counted.reads.length = 0;
      for await (const _piece of bytes);
    });
    const pack = counted.reads.find((key) => key.startsWith('data/')) ?? expect.fail();
    await damage(copy, pack, 'a flipped bit');
    await expect(opened(new CountingStore(copy), (_file, bytes) => Array.fromAsync(bytes))).rejects.toMatchObject({
      code: 'repository-damaged',
      message: expect.stringMatching(
        /^\/dump\.sql: data blob [0-9a-f]{64} is damaged: .* \(in pack [0-9a-f]{64}\)$/,
      ) as string,
    });
  });
});
