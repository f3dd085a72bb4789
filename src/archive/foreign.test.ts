import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { compressionOf, foreignContent } from './foreign.ts';

const { signal } = new AbortController();

/** More than a piece, a block and what a frame of ours may have; half of it cannot be made smaller. */
const PLAIN = Buffer.concat([randomBytes(5 << 20), Buffer.alloc(70 << 20, 'one line like another\n')]);

const PROGRAMS = [
  ['gzip', ['gzip', '-1']],
  ['bzip2', ['bzip2', '-1']],
  ['xz', ['xz', '-0']],
  ['zstd', ['zstd', '-1']],
  ['zstd', ['zstd', '-1', '--no-check', '--long=27']],
] as const;

describe('what another program has compressed', () => {
  it.each(PROGRAMS)('by %s is known by its first bytes and comes whole: %j', async (name, argv) => {
    // The others are slow, and know no frames.
    const plain = name === 'zstd' ? PLAIN : PLAIN.subarray(0, 8 << 20);
    const stored = made(argv, plain);
    expect(compressionOf(stored.subarray(0, 16))).toBe(name);
    expect((await read(stored, name)).equals(plain)).toBe(true);
  });

  it.each(PROGRAMS)('by %s goes on where one stream follows another: %j', async (name, argv) => {
    const parts = ['one', '', 'two'].map((text) => made(argv, Buffer.from(text)));
    expect(compressionOf((parts[1] ?? Buffer.alloc(0)).subarray(0, 16))).toBe(name);
    expect((await read(Buffer.concat(parts), name)).toString()).toBe('onetwo');
  });

  it('by several threads of zstd begins with what is to be skipped', async () => {
    const content = PLAIN.subarray(0, 20 << 20);
    const stored = made(['pzstd', '-1', '-p', '2'], content);
    expect(stored.readUInt32LE(0) >>> 4).toBe(0x184d2a5);
    expect(compressionOf(stored)).toBe('zstd');
    expect((await read(stored, 'zstd')).equals(content)).toBe(true);
  });

  it.each(PROGRAMS)('by %s is damaged where it is cut anywhere within, or changed: %j', async (name, argv) => {
    const stored = made(argv, PLAIN.subarray(0, 300_000));
    const two = Buffer.concat([stored, stored]);
    const changed = Buffer.from(stored);
    changed[stored.length - 1] = (changed[stored.length - 1] ?? 0) ^ 1;
    changed[stored.length >> 1] = (changed[stored.length >> 1] ?? 0) ^ 1;
    const cuts = [20, stored.length >> 1, stored.length - 1, stored.length + 20].map((at) => two.subarray(0, at));
    const hasSum = !argv.some((option) => option === '--no-check');
    for (const bytes of [...cuts, ...(hasSum ? [changed] : [])])
      await expect(read(bytes, name)).rejects.toMatchObject({ code: 'source-damaged' });
  });

  it('is told from SQL, and from what is compressed by nobody known', () => {
    for (const text of ['BZhello', 'SELECT 1;', '', '(', 'PK\u0003\u0004', '\u0004"M\u0018'])
      expect(compressionOf(Buffer.from(text, 'latin1'))).toBe('none');
  });
});

function made([program, ...options]: readonly [string, ...string[]], input: Buffer): Buffer {
  return execFileSync(program, [...options, '-c'], { input, maxBuffer: 1e9, stdio: ['pipe', 'pipe', 'ignore'] });
}

async function read(stored: Buffer, name: Parameters<typeof foreignContent>[1]): Promise<Buffer> {
  // As a file comes, and a byte at a time where what frames begin with may be parted.
  const pieces = async function* () {
    const single = Math.min(64, stored.length);
    for (let at = 0; at < single; at += 1) yield await Promise.resolve(stored.subarray(at, at + 1));
    for (let at = single; at < stored.length; at += 1 << 20) yield stored.subarray(at, at + (1 << 20));
  };
  return Buffer.concat(await Array.fromAsync(foreignContent(pieces(), name, signal)));
}
