import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { gathered } from './gathered.ts';

async function drained(pieces: AsyncGenerator<Uint8Array, boolean>): Promise<{ pieces: Buffer[]; isWhole: boolean }> {
  const all: Buffer[] = [];
  for (;;) {
    const next = await pieces.next();
    if (next.done === true) return { pieces: all, isWhole: next.value };
    all.push(Buffer.from(next.value));
  }
}

describe('gathered output', () => {
  it('comes in few pieces, with every byte in its place', async () => {
    const stream = new PassThrough();
    const line = (number: number) => `${String(number)} of many small writes\n`;
    const writes = Array.from({ length: 50_000 }, (_, number) => line(number));
    for (const text of writes) stream.write(text);
    stream.end();
    const { pieces, isWhole } = await drained(gathered(stream, true));
    expect(Buffer.concat(pieces).toString()).toBe(writes.join(''));
    expect({ isWhole, isFew: pieces.length < 20 }).toEqual({ isWhole: true, isFew: true });
  });

  it('does not wait for a block to be full', async () => {
    const stream = new PassThrough();
    const pieces = gathered(stream, false);
    for (const text of ['what', 'is asked', 'is answered']) {
      stream.write(text);
      expect(Buffer.from((await pieces.next()).value as Uint8Array).toString()).toBe(text);
    }
    await pieces.return(false);
    expect(stream.listenerCount('data')).toBe(0);
  });

  it('is not whole where the stream broke', async () => {
    const stream = new PassThrough();
    stream.write('a part');
    const draining = drained(gathered(stream, false));
    setImmediate(() => stream.destroy(new Error('the line broke')));
    expect((await draining).isWhole).toBe(false);
    expect((await drained(gathered(stream, false))).isWhole).toBe(false);
  });

  it('stops a stream that nobody reads', async () => {
    const stream = new PassThrough();
    const pieces = gathered(stream, true);
    stream.write('begun');
    await pieces.next();
    let written = 0;
    while (stream.write(Buffer.alloc(100_000, 7)) || !stream.isPaused()) {
      written += 1;
      await new Promise(setImmediate);
    }
    expect(written).toBeLessThan(20);
    stream.end();
    const { isWhole } = await drained(pieces);
    expect(isWhole).toBe(true);
  });
});
