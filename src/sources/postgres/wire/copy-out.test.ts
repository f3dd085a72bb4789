import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CopyOut } from './copy-out.ts';
import { CopyRows, PIECE_BYTES } from './copy-rows.ts';

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

interface Connection {
  readonly copy: CopyOut;
  readonly copied: CopyRows;
}

function connected(): Connection {
  const copied = new CopyRows();
  return { copied, copy: new CopyOut('a server', copied) };
}

/** Feeds the bytes in pieces that end at `cuts`. @returns each copy's rows, one behind the other. */
function copiesOf({ copy, copied }: Connection, bytes: Buffer, cuts: readonly number[]): Copied[] {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  const copies: Copied[] = [{ rows: Buffer.alloc(0) }];
  for (const [i, end] of [...ends, bytes.length].entries()) {
    for (const taken of copy.take(Buffer.from(bytes.subarray(ends[i - 1] ?? 0, end)))) {
      const last = copies.at(-1) ?? { rows: Buffer.alloc(0) };
      if (typeof taken !== 'number') {
        last.rows = Buffer.concat([last.rows, taken]);
        copied.release(taken);
        continue;
      }
      last.count = taken;
      copies.push({ rows: Buffer.alloc(0) });
    }
  }
  return copies;
}

/** The same of one copy, which may not have ended. */
function copyOf(connection: Connection, bytes: Buffer, cuts: readonly number[]): Copied {
  return copiesOf(connection, bytes, cuts)[0] ?? { rows: Buffer.alloc(0) };
}

describe('the rows of a COPY', () => {
  it('are what the server sent, of one copy after another, wherever the bytes are cut', () => {
    const row = fc.uint8Array({ maxLength: 40 });
    const connection = connected();
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
        const both = Buffer.concat([...messages, ...messages]);
        const copied = { rows: Buffer.concat(rows), count: 3 };
        expect(copiesOf(connection, both, cuts)).toEqual([copied, copied, { rows: Buffer.alloc(0) }]);
      }),
    );
  });

  it('may be longer than what is read at a time, and many', () => {
    const rows = [5, 1023, 1024, 300_000, 0, 1, 262_139, 262_144, 17, ...Array.from({ length: 9000 }, () => 97)];
    const bodies = rows.map((length, i) => Buffer.alloc(length, i + 1));
    const messages = Buffer.concat([message('H', ''), ...bodies.map((body) => message('d', body)), ...END]);
    for (const step of [65_536, 262_144, 262_145, messages.length]) {
      const cuts = Array.from({ length: Math.floor(messages.length / step) }, (_, i) => (i + 1) * step);
      const { rows: taken, count } = copyOf(connected(), messages, cuts);
      expect(taken.equals(Buffer.concat(bodies))).toBe(true);
      expect(count).toBe(3);
    }
  });

  it('come in pieces that stay as they are until they are released', () => {
    const { copy, copied } = connected();
    const all = copied.free;
    const body = Buffer.alloc(3 * PIECE_BYTES + 5, 'a row that is longer than a piece');
    const messages = Buffer.concat([message('d', body), ...END, message('d', 'the next one'), ...END]);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < messages.length; at += 200_000)
      for (const taken of copy.take(messages.subarray(at, at + 200_000)))
        if (typeof taken !== 'number') pieces.push(taken);
    expect(pieces.map(({ length }) => length)).toEqual([PIECE_BYTES, PIECE_BYTES, PIECE_BYTES, 5, 12]);
    expect(Buffer.concat(pieces).equals(Buffer.concat([body, Buffer.from('the next one')]))).toBe(true);
    for (const piece of pieces) copied.release(piece);
    // One is kept for what follows.
    expect(copied.free).toBeGreaterThanOrEqual(all - 1);
  });

  it('may come by several connections in turn', () => {
    const [one, other] = [connected(), connected()];
    const came = { one: '', other: '' };
    for (const half of [0, 1])
      for (const [connection, name] of [[one, 'one'] as const, [other, 'other'] as const]) {
        const whole = Buffer.concat([message('d', `${name} is read\n`), ...END]);
        came[name] += copyOf(connection, half === 0 ? whole.subarray(0, 9) : whole.subarray(9), []).rows.toString();
      }
    expect(came).toEqual({ one: 'one is read\n', other: 'other is read\n' });
  });

  it('are not whole before the server has said so', () => {
    const connection = connected();
    const begun = copyOf(connection, Buffer.concat([message('H', ''), message('d', 'x\n'), message('c', '')]), []);
    expect(begun).toEqual({ rows: Buffer.alloc(0) });
    expect(() => copyOf(connection, message('Z', 'T'), [])).toThrow('no end of the copy');
  });

  it.each([
    ['an error of the server', message('E', 'SERROR\0C57P01\0Mterminating\0\0'), 'terminating'],
    ['a message of no sense', message('x', ''), 'unexpected message "x"'],
    ['a negative length', Buffer.from([0x64, 0, 0, 0, 1]), 'a message of -3 bytes'],
    ['another end than that of a copy', message('C', 'SELECT 3\0'), 'SELECT 3'],
  ])('end with %s', (_what, bytes, said) => {
    expect(() => copyOf(connected(), Buffer.concat([message('d', 'x\n'), bytes]), [])).toThrow(said);
  });
});
