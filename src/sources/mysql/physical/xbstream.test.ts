import fc from 'fast-check';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { filesOf } from './stream-files.ts';
import { TRAILER, XbStream } from './xbstream.ts';

const MAGIC = 'XBSTCK01';

function payload(path: string, offset: number, bytes: Buffer, checksum = crc32(bytes)): Buffer {
  const numbers = Buffer.alloc(20);
  numbers.writeBigUInt64LE(BigInt(bytes.length), 0);
  numbers.writeBigUInt64LE(BigInt(offset), 8);
  numbers.writeUInt32LE(checksum, 16);
  return Buffer.concat([head(path, 'P'), numbers, bytes]);
}

function end(path: string): Buffer {
  return head(path, 'E');
}

function head(path: string, kind: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(path));
  return Buffer.concat([Buffer.from(MAGIC), Buffer.from([0]), Buffer.from(kind), length, Buffer.from(path)]);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield Promise.resolve(bytes.subarray(at, at + size));
}

async function read(
  bytes: Buffer,
  size = 1000,
): Promise<{ files: Record<string, string>; trailer: string | undefined }> {
  const stream = new XbStream(inPieces(bytes, size));
  const files: Record<string, string> = {};
  for await (const { path, content } of filesOf(stream.chunks()))
    files[path] = Buffer.concat(await Array.fromAsync(content)).toString();
  return { files, trailer: stream.trailer };
}

const bytes = (text: string): Buffer => Buffer.from(text);
/** Two files whose chunks come mixed, and one without content. */
const MIXED = Buffer.concat([
  payload('./ib_logfile0', 0, bytes('log ')),
  payload('shop/a.ibd', 0, bytes('a1')),
  payload('shop/b.ibd', 0, bytes('b1')),
  payload('./ib_logfile0', 4, bytes('goes on')),
  payload('shop/a.ibd', 2, bytes('a2')),
  end('shop/a.ibd'),
  payload('shop/b.ibd', 2, bytes('b2')),
  end('shop/b.ibd'),
  end('./ib_logfile0'),
  end('shop/empty'),
]);

describe('A stream of mariadb-backup', () => {
  it('gives each file as a whole, in whatever pieces it comes, and what was told behind it', async () => {
    const whole = Buffer.concat([MIXED, bytes(`${TRAILER}completed OK!`)]);
    for (const size of [1, 7, 1000])
      expect(await read(whole, size)).toEqual({
        files: { ib_logfile0: 'log goes on', 'shop/a.ibd': 'a1a2', 'shop/b.ibd': 'b1b2', 'shop/empty': '' },
        trailer: 'completed OK!',
      });
    expect((await read(MIXED)).trailer).toBeUndefined();
  });

  it('is refused wherever it is cut', async () => {
    for (let length = 0; length < MIXED.length; length++) {
      const files = read(MIXED.subarray(0, length));
      // Behind the last file but one, what is missing is a file that nobody has announced.
      if (length === MIXED.length - end('shop/empty').length) await files;
      else await expect(files).rejects.toMatchObject({ code: 'source-lost' });
    }
  });

  it('is refused, and nothing worse, if any byte is another one', async () => {
    const position = fc.nat(MIXED.length - 1);
    await fc.assert(
      fc.asyncProperty(position, fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = Buffer.from(MIXED);
        damaged.writeUInt8(damaged.readUInt8(at) ^ flip, at);
        const result = await read(damaged).catch((error: unknown) => error);
        // A name and a flag have no checksum; content and its place do.
        if (result instanceof Error) expect(result).toMatchObject({ code: 'source-lost' });
        else
          expect(Object.values((result as Awaited<ReturnType<typeof read>>).files).join('')).toMatch(
            /^(?:a1a2|b1b2|log goes on)+$/,
          );
      }),
    );
  });

  it.each([
    ['../outside', 'leads out'],
    ['/etc/passwd', 'leads out'],
    ['a/../../b', 'leads out'],
  ])('is refused if a file is called %s', async (name, why) => {
    await expect(read(Buffer.concat([payload(name, 0, bytes('x')), end(name)]))).rejects.toThrow(why);
  });

  it.each<readonly [string, Buffer]>([
    ['has a gap', Buffer.concat([payload('a', 0, bytes('x')), payload('a', 2, bytes('y')), end('a')])],
    ['comes twice', Buffer.concat([payload('a', 0, bytes('x')), end('a'), payload('a', 0, bytes('y')), end('a')])],
    ['was changed', Buffer.concat([payload('a', 0, bytes('x'), 1), end('a')])],
    ['unknown kind', Buffer.concat([head('a', 'S')])],
    ['is no chunk', Buffer.concat([MIXED, bytes('something else')])],
  ])('is refused where it %s', async (why, stream) => {
    await expect(read(stream)).rejects.toMatchObject({ message: expect.stringContaining(why) as string });
  });
});
