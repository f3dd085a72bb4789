import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Crc64 } from './crc64.ts';
import { checkedRdb, type RdbEnd, type RdbHeader } from './rdb.ts';

const MARK = Buffer.from('b7c33009d55922129394' + '0a62065b5b440752f653');

function rdb(content: Uint8Array = Buffer.alloc(0)): Buffer {
  const field = Buffer.from('\xfa\x09redis-ver\x067.0.15\xfa\x0brepl-offset\xc1\x39\x05', 'latin1');
  const whole = Buffer.concat([Buffer.from('REDIS0010'), field, content, Buffer.of(0xff)]);
  const sum = new Crc64();
  sum.update(whole);
  return Buffer.concat([whole, sum.digest()]);
}

async function check(bytes: Uint8Array, cuts: readonly number[] = [], marked = false) {
  const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
  const pieces = places.slice(1).map((end, at) => bytes.subarray(places[at], end));
  const told: { header?: RdbHeader; end?: RdbEnd } = {};
  const observer = {
    onHeader: (header: RdbHeader) => void (told.header = header),
    onEnd: (end: RdbEnd) => void (told.end = end),
  };
  const stream = (async function* () {
    yield* await Promise.resolve(pieces);
  })();
  const passed = await Array.fromAsync(checkedRdb(stream, 'the server', observer, marked), (piece) =>
    Buffer.from(piece),
  );
  return { ...told, passed: Buffer.concat(passed) };
}

describe('An RDB', () => {
  it('is passed on as it is, however it is cut, and tells of itself', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 10_000 }),
        fc.array(fc.nat(10_200), { maxLength: 5 }),
        fc.boolean(),
        async (content, cuts, marked) => {
          const whole = rdb(Buffer.concat([Buffer.of(0xfe, 0), content]));
          const { passed, header, end } = await check(marked ? Buffer.concat([whole, MARK]) : whole, cuts, marked);
          expect(passed.equals(whole)).toBe(true);
          expect(end).toEqual({ bytes: whole.length, checksum: true });
          expect(header?.version).toBe(10);
          expect(header?.fields).toEqual(
            new Map([
              ['redis-ver', '7.0.15'],
              ['repl-offset', '1337'],
            ]),
          );
        },
      ),
    );
  });

  it('may lack its checksum', async () => {
    const without = Buffer.concat([rdb().subarray(0, -8), Buffer.alloc(8)]);
    expect((await check(without)).end).toEqual({ bytes: without.length, checksum: false });
    expect((await check(Buffer.concat([without, MARK]), [], true)).end?.bytes).toBe(without.length);
  });

  it('that is cut short, or changed anywhere, is none', async () => {
    const whole = rdb(Buffer.from('some keys and values'));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.boolean(), async (at, isCut) => {
        const broken = Buffer.from(isCut ? whole.subarray(0, at) : whole);
        if (!isCut) broken[at] = (broken[at] ?? 0) ^ 0x20;
        await expect(check(broken)).rejects.toMatchObject({ code: 'source-lost' });
      }),
    );
  });

  it('has nothing behind it where nothing is expected', async () => {
    await expect(check(Buffer.concat([rdb(), MARK]))).rejects.toMatchObject({ code: 'source-lost' });
    await expect(check(Buffer.from('(error) NOAUTH Authentication required.\n'))).rejects.toThrow(/does not begin/);
    await expect(check(Buffer.alloc(0))).rejects.toThrow(/nothing in it/);
  });
});
