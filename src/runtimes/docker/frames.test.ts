import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ours } from '../../../test/contract/store.ts';
import { demultiplexed } from './frames.ts';

function frame(stream: number, bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

/** Chunks of the given lengths, over and over, until nothing is left. */
async function* cut(bytes: Buffer, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? 1;
    yield Buffer.from(bytes.subarray(at, at + length));
    at += length;
  }
}

async function split(stream: AsyncIterable<Uint8Array>) {
  const pieces = await Array.fromAsync(demultiplexed(stream));
  const of = (from: string) => Buffer.concat(pieces.filter((it) => it.from === from).map((it) => it.bytes));
  return { stdout: of('stdout'), stderr: of('stderr') };
}

describe('demultiplexed', () => {
  it('gives each stream its bytes in their order, however the connection cuts them', async () => {
    const frames = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.uint8Array({ maxLength: 50 })));
    const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(frames, lengths, async (all, chunks) => {
        const of = (is: (stream: number) => boolean) =>
          Buffer.concat(all.filter(([stream]) => is(stream)).map(([, bytes]) => bytes));
        const bytes = Buffer.concat(all.map(([stream, content]) => frame(stream, content)));
        expect(await split(cut(bytes, chunks))).toEqual({
          stdout: of((stream) => stream === 1),
          stderr: of((stream) => stream !== 1),
        });
      }),
    );
  });

  it('hands on what came of a frame before the rest of it', async () => {
    const whole = frame(1, Buffer.from('abcdef'));
    const pieces = demultiplexed(cut(whole, [10, 100]));
    expect((await pieces.next()).value).toEqual({ from: 'stdout', bytes: Buffer.from('ab') });
  });

  it('makes one piece of many small writes that came together', async () => {
    const bytes = Buffer.concat(Array.from({ length: 100 }, () => frame(1, Buffer.from('abc'))));
    expect(await Array.fromAsync(demultiplexed(cut(bytes, [100_000])))).toHaveLength(1);
  });

  it.each([3, 8, 10])('does not take %i bytes of a frame for a whole one', async (length) => {
    const bytes = frame(1, Buffer.from('abcdef')).subarray(0, length);
    await expect(split(cut(bytes, [100]))).rejects.toThrow(ours('source-lost'));
  });

  it('says so where somebody sends something else', async () => {
    await expect(split(cut(Buffer.from('HTTP/1.1 200 OK\r\n'), [100]))).rejects.toThrow(ours('source-lost'));
  });
});
