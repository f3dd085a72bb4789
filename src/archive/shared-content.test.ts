import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedContent } from './shared-content.ts';

const MIB = 1024 * 1024;

/** Pieces of a megabyte that know how many of them were asked for, and whether they were let go. */
function source(pieces: number, failsAt = Infinity) {
  const seen = { asked: 0, released: false };
  const content = (async function* () {
    try {
      for (let at = 0; at < pieces; at++) {
        seen.asked += 1;
        if (at === failsAt) throw new Error('the source failed');
        yield await Promise.resolve(new Uint8Array(MIB).fill(at));
      }
    } finally {
      seen.released = true;
    }
  })();
  return { seen, content };
}

async function firstBytes(content: AsyncIterable<Uint8Array>): Promise<(number | undefined)[]> {
  return (await Array.fromAsync(content)).map(([first]) => first);
}

describe('content with several readers', () => {
  it('reaches each of them whole, whatever their pace, and is pulled once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 30 }),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
        async (pieces, paces) => {
          const { seen, content } = source(pieces);
          const { readers } = new SharedContent(content, paces.length);
          const got = await Promise.all(
            readers.map(async (reader, index) => {
              const firsts: (number | undefined)[] = [];
              for await (const [first] of reader) {
                firsts.push(first);
                for (let turn = 0; turn < (paces[index] ?? 0); turn++) await new Promise(setImmediate);
              }
              return firsts;
            }),
          );
          for (const one of got) expect(one).toEqual(Array.from({ length: pieces }, (_, at) => at));
          expect(seen).toEqual({ asked: pieces, released: true });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('waits for the slowest reader with a few megabytes in memory, not more', async () => {
    const { seen, content } = source(100);
    const { readers } = new SharedContent(content, 2);
    const [quick, slow] = readers;
    await quick?.next();
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(seen.asked).toBeLessThan(12);
    await slow?.return();
    expect(quick && (await firstBytes(quick))).toHaveLength(99);
  });

  it('is let go when nobody reads it any more, and its failure reaches all', async () => {
    const abandoned = source(100);
    const { readers } = new SharedContent(abandoned.content, 2);
    await readers[0]?.next();
    for (const reader of readers) await reader.return();
    await expect.poll(() => abandoned.seen.released).toBe(true);

    const failing = source(5, 3);
    const shared = new SharedContent(failing.content, 2);
    const ends = await Promise.allSettled(shared.readers.map(firstBytes));
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
