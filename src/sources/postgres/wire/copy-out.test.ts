import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CopyOut } from './copy-out.ts';

function message(type: string, body: Uint8Array | string): Buffer {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(4 + bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

const END = [message('c', ''), message('C', 'COPY 3\0'), message('Z', 'T')];

/** Feeds the bytes in pieces that end at `cuts`. @returns the rows, one behind the other. */
function rowsOf(copy: CopyOut, bytes: Buffer, cuts: readonly number[]): Buffer {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  const rows = [...ends, bytes.length].map((end, i) => {
    const piece = Buffer.from(bytes.subarray(ends[i - 1] ?? 0, end));
    return Buffer.concat(Array.from(copy.take(piece), (rows) => Buffer.from(rows)));
  });
  return Buffer.concat(rows);
}

describe('the rows of a COPY', () => {
  it('are what the server sent, wherever the bytes are cut', () => {
    const row = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 30 }), (rows, cuts) => {
        const messages = [
          message('H', Buffer.alloc(7)),
          ...rows.flatMap((body, i) => [
            message('d', body),
            ...(i % 3 === 1 ? [message('S', 'TimeZone\0UTC\0'), message('N', 'SNOTICE\0\0')] : []),
          ]),
          ...END,
        ];
        const copy = new CopyOut('a server');
        expect(rowsOf(copy, Buffer.concat(messages), cuts)).toEqual(Buffer.concat(rows));
        expect(copy.isReady).toBe(true);
        expect(copy.rows).toBe(3);
      }),
    );
  });

  it('may be longer than what is read at a time, and many', () => {
    const rows = [5, 1023, 1024, 300_000, 0, 1, 262_139, 262_144, 17, ...Array.from({ length: 9000 }, () => 97)];
    const bodies = rows.map((length, i) => Buffer.alloc(length, i + 1));
    const messages = Buffer.concat([message('H', ''), ...bodies.map((body) => message('d', body)), ...END]);
    for (const step of [65_536, 262_144, 262_145, messages.length]) {
      const copy = new CopyOut('a server');
      const cuts = Array.from({ length: Math.floor(messages.length / step) }, (_, i) => (i + 1) * step);
      expect(rowsOf(copy, messages, cuts).equals(Buffer.concat(bodies))).toBe(true);
      expect(copy.isReady).toBe(true);
    }
  });

  it('may come by several connections in turn', () => {
    const [one, other] = [new CopyOut('a server'), new CopyOut('another')];
    const came = { one: '', other: '' };
    for (const half of [0, 1])
      for (const [copy, name] of [[one, 'one'] as const, [other, 'other'] as const]) {
        const whole = Buffer.concat([message('d', `${name} is read\n`), ...END]);
        came[name] += rowsOf(copy, half === 0 ? whole.subarray(0, 9) : whole.subarray(9), []).toString();
      }
    expect(came).toEqual({ one: 'one is read\n', other: 'other is read\n' });
  });

  it('are not whole before the server has said so', () => {
    const copy = new CopyOut('a server');
    rowsOf(copy, Buffer.concat([message('H', ''), message('d', 'x\n'), message('c', '')]), []);
    expect(copy.isReady).toBe(false);
    expect(() => copy.rows).toThrow('no end of the copy');
  });

  it.each([
    ['an error of the server', message('E', 'SERROR\0C57P01\0Mterminating\0\0'), 'terminating'],
    ['a message of no sense', message('x', ''), 'unexpected message "x"'],
    ['a negative length', Buffer.from([0x64, 0, 0, 0, 1]), 'a message of -3 bytes'],
    ['another end than that of a copy', message('C', 'SELECT 3\0'), 'SELECT 3'],
  ])('end with %s', (_what, bytes, said) => {
    const copy = new CopyOut('a server');
    expect(() => rowsOf(copy, Buffer.concat([message('d', 'x\n'), bytes]), [])).toThrow(said);
  });
});
