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

interface Copied {
  rows: Buffer;
  /** Undefined: it has not ended. */
  count?: number;
}

/** Feeds the bytes in pieces that end at `cuts`. @returns each copy's rows, one behind the other. */
function copiesOf(copy: CopyOut, bytes: Buffer, cuts: readonly number[]): Copied[] {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  const copies: Copied[] = [{ rows: Buffer.alloc(0) }];
  for (const [i, end] of [...ends, bytes.length].entries()) {
    for (const taken of copy.take(Buffer.from(bytes.subarray(ends[i - 1] ?? 0, end)))) {
      const last = copies.at(-1) ?? { rows: Buffer.alloc(0) };
      if (typeof taken !== 'number') {
        last.rows = Buffer.concat([last.rows, taken]);
        continue;
      }
      last.count = taken;
      copies.push({ rows: Buffer.alloc(0) });
    }
  }
  return copies;
}

/** The same of one copy, which may not have ended. */
function copyOf(copy: CopyOut, bytes: Buffer, cuts: readonly number[]): Copied {
  return copiesOf(copy, bytes, cuts)[0] ?? { rows: Buffer.alloc(0) };
}

describe('the rows of a COPY', () => {
  it('are what the server sent, of one copy after another, wherever the bytes are cut', () => {
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
        const both = Buffer.concat([...messages, ...messages]);
        const copied = { rows: Buffer.concat(rows), count: 3 };
        expect(copiesOf(copy, both, cuts)).toEqual([copied, copied, { rows: Buffer.alloc(0) }]);
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
      const { rows: taken, count } = copyOf(copy, messages, cuts);
      expect(taken.equals(Buffer.concat(bodies))).toBe(true);
      expect(count).toBe(3);
    }
  });

  it('may come by several connections in turn', () => {
    const [one, other] = [new CopyOut('a server'), new CopyOut('another')];
    const came = { one: '', other: '' };
    for (const half of [0, 1])
      for (const [copy, name] of [[one, 'one'] as const, [other, 'other'] as const]) {
        const whole = Buffer.concat([message('d', `${name} is read\n`), ...END]);
        came[name] += copyOf(copy, half === 0 ? whole.subarray(0, 9) : whole.subarray(9), []).rows.toString();
      }
    expect(came).toEqual({ one: 'one is read\n', other: 'other is read\n' });
  });

  it('are not whole before the server has said so', () => {
    const copy = new CopyOut('a server');
    const begun = copyOf(copy, Buffer.concat([message('H', ''), message('d', 'x\n'), message('c', '')]), []);
    expect(begun).toEqual({ rows: Buffer.from('x\n') });
    expect(() => copyOf(copy, message('Z', 'T'), [])).toThrow('no end of the copy');
  });

  it.each([
    ['an error of the server', message('E', 'SERROR\0C57P01\0Mterminating\0\0'), 'terminating'],
    ['a message of no sense', message('x', ''), 'unexpected message "x"'],
    ['a negative length', Buffer.from([0x64, 0, 0, 0, 1]), 'a message of -3 bytes'],
    ['another end than that of a copy', message('C', 'SELECT 3\0'), 'SELECT 3'],
  ])('end with %s', (_what, bytes, said) => {
    const copy = new CopyOut('a server');
    expect(() => copyOf(copy, Buffer.concat([message('d', 'x\n'), bytes]), [])).toThrow(said);
  });
});
