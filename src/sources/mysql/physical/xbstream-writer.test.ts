import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filesOf } from './stream-files.ts';
import { xbFile } from './xbstream-writer.ts';
import { XbStream } from './xbstream.ts';

const MIB = 1024 * 1024;

async function* inOrder<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

async function* written(files: ReadonlyMap<string, readonly Uint8Array[]>): AsyncGenerator<Uint8Array> {
  for (const [path, pieces] of files) yield* xbFile(path, inOrder(pieces));
}

async function read(bytes: AsyncIterable<Uint8Array>): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { path, content } of filesOf(new XbStream(bytes).chunks()))
    files.set(path, Buffer.concat(await Array.fromAsync(content)));
  return files;
}

describe('Files that were written as an xbstream', () => {
  it('are read back as they were, whatever pieces they came in', async () => {
    const name = fc.stringMatching(/^[a-zñ€]{1,8}(\/[\w.]{1,8}x)?$/);
    const pieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, pieces), { minLength: 1, maxLength: 5 }), async (made) => {
        const files = new Map(made);
        const whole = new Map([...files].map(([path, parts]) => [path, Buffer.concat(parts)]));
        expect(await read(written(files))).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it('come in several chunks where they are large, and keep names that are no text', async () => {
    const large = [Buffer.alloc(MIB + 7, 'a'), Buffer.alloc(5, 'b'), Buffer.alloc(2 * MIB, 'c')];
    const files = new Map([['shop/\udcff.ibd', large]]);
    const back = await read(written(files));
    // Compared as bytes: to show how they differ would take minutes.
    expect([...back.keys()]).toEqual([...files.keys()]);
    expect(back.get('shop/\udcff.ibd')?.equals(Buffer.concat(large))).toBe(true);
    const chunks = await Array.fromAsync(new XbStream(written(files)).chunks());
    expect(chunks.map(({ payload }) => payload !== undefined)).toEqual([true, true, false]);
  });
});
