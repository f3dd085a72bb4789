import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { craftFile, gtid, query, rotate, xid } from '../../../../test/fixtures/crafted-log.ts';
import { BinlogReader, type PlacedEvent } from './reader.ts';

const START = { file: 'bin.000009', offset: 4 };
const first = craftFile([gtid(1), query('shop', 'INSERT …'), xid(), rotate('bin.000010')]);
const second = craftFile([gtid(2, { alone: true }), query('shop', 'DROP TABLE t')]);
/** Of a file that a server left behind when it ended in the middle. */
const unclosed = craftFile([gtid(1), query('shop', 'INSERT …'), xid()]);

function read(bytes: Buffer, cuts: readonly number[] = [], start = START, format?: Buffer): PlacedEvent[] {
  const reader = new BinlogReader(start, 'a test', undefined, format);
  const bounds = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  const events = bounds.slice(1).flatMap((to, i) => [...reader.push(bytes.subarray(bounds[i], to))]);
  reader.end();
  return events;
}

const places = (events: readonly PlacedEvent[]): string[] => events.map(({ file, from }) => `${file}:${String(from)}`);

describe('A reader of binary logs', () => {
  it('finds the same events however the bytes come, and follows from file to file', () => {
    const all = Buffer.concat([first.bytes, second.bytes]);
    const expected = [
      ...first.starts.map((at) => `bin.000009:${String(at)}`),
      ...second.starts.map((at) => `bin.000010:${String(at)}`),
    ];
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        expect(places(read(all, cuts))).toEqual(expected);
      }),
    );
  });

  it('knows the next file by its number where the server ended without a word', () => {
    expect(places(read(Buffer.concat([unclosed.bytes, second.bytes]))).at(-1)).toMatch(/^bin\.000010:/);
  });

  it('takes nothing for whole that was cut short between two events, or within one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: first.bytes.length - 1 }), (length) => {
        const isBoundary = first.starts.includes(length);
        if (isBoundary)
          expect(places(read(first.bytes.subarray(0, length)))).toHaveLength(first.starts.indexOf(length));
        else expect(() => read(first.bytes.subarray(0, length))).toThrow(/bin\.000009/);
      }),
    );
  });

  it('notices every byte that is another one, but for the mark of a file in use', () => {
    const IN_USE_AT = 4 + 17;
    fc.assert(
      fc.property(fc.nat(first.bytes.length - 1), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const damaged = Buffer.from(first.bytes);
        damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << bit), at);
        if (at === IN_USE_AT && bit === 0) expect(places(read(damaged))).toEqual(places(read(first.bytes)));
        else expect(() => read(damaged)).toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses an event that is missing, or there twice', () => {
    const [, one = 0, two = 0] = first.starts;
    const [head, event, rest] = [
      first.bytes.subarray(0, one),
      first.bytes.subarray(one, two),
      first.bytes.subarray(two),
    ];
    expect(() => read(Buffer.concat([head, rest]))).toThrow('should end at');
    expect(() => read(Buffer.concat([head, event, event, rest]))).toThrow('should end at');
  });

  it('places events that do not know where they end, and misses none: newer versions of MariaDB write them', () => {
    const inside = { ...query('shop', 'INSERT …'), isEndless: true };
    const { bytes, starts } = craftFile([gtid(1), inside, inside, xid(), rotate('bin.000010')]);
    expect(places(read(bytes))).toEqual(starts.map((at) => `bin.000009:${String(at)}`));
    const [, , one = 0, two = 0] = starts;
    expect(() => read(Buffer.concat([bytes.subarray(0, one), bytes.subarray(two)]))).toThrow('should end at');
    const told = craftFile([{ ...rotate('bin.000009'), isEndless: true }, gtid(1)]).bytes;
    expect(() => read(told)).toThrow('should end at');
  });

  it('reads on in the middle of a file, by the format that it is told', () => {
    const [begin = 0, from = 0] = first.starts;
    const events = read(
      first.bytes.subarray(from),
      [],
      { file: 'bin.000009', offset: from },
      first.bytes.subarray(begin, from),
    );
    expect(places(events)).toEqual(first.starts.slice(1).map((at) => `bin.000009:${String(at)}`));
  });
});
