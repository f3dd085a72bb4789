import { describe, expect, test } from 'vitest';
import { zipDescriptor, zipDirectoryRecord, zipEnd, type ZipEntry, zipHeader } from './zip.ts';

const GIB = 2 ** 30;
const SMALL: ZipEntry = { path: 'a', type: 'file', size: 5, mode: 0o644 };
const LARGE: ZipEntry = { ...SMALL, size: 5 * GIB };
const CONTENT = { packed: 7, checksum: 0x1234_5678 };

/** Little endian at an offset. */
function field(bytes: Uint8Array, at: number, size: 2 | 4 | 8): number {
  const buffer = Buffer.from(bytes);
  return size === 8 ? Number(buffer.readBigUInt64LE(at)) : buffer.readUIntLE(at, size);
}

describe('a zip archive', () => {
  test('marks names as UTF-8 that are, and leaves other bytes as they are', () => {
    const flags = (path: string): number => field(zipHeader({ ...SMALL, path }), 6, 2);
    expect(flags('plain')).toBe(0x0008);
    expect(flags('ümlaut')).toBe(0x0808);
    expect(flags('bad\udcff')).toBe(0x0008);
    expect(
      Buffer.from(zipHeader({ ...SMALL, path: 'bad\udcff' }))
        .subarray(30, 34)
        .toString('latin1'),
    ).toBe('bad\u00ff');
  });

  test('describes a file of more than 4 GiB in 64 bits, and others in 32', () => {
    expect(zipDescriptor(SMALL, CONTENT)).toHaveLength(16);
    const descriptor = zipDescriptor(LARGE, { ...CONTENT, packed: 6 * GIB });
    expect([field(descriptor, 8, 8), field(descriptor, 16, 8)]).toEqual([6 * GIB, 5 * GIB]);
    const header = zipHeader(LARGE);
    // Version, both sizes, and room for them in the extra field.
    expect([field(header, 4, 2), field(header, 18, 4), field(header, 22, 4)]).toEqual([45, 0xffff_ffff, 0xffff_ffff]);
    expect([field(header, 31, 2), field(header, 33, 2)]).toEqual([0x0001, 16]);
  });

  test('tells in its directory only what 32 bits cannot hold in 64', () => {
    const near = zipDirectoryRecord(SMALL, CONTENT, 3 * GIB);
    expect([field(near, 42, 4), field(near, 30, 2)]).toEqual([3 * GIB, 0]);
    const far = zipDirectoryRecord(SMALL, CONTENT, 9 * GIB);
    expect([field(far, 42, 4), field(far, 47, 2), field(far, 49, 2)]).toEqual([0xffff_ffff, 0x0001, 8]);
    expect(field(far, 51, 8)).toBe(9 * GIB);
  });

  test('keeps the modes of Unix, and the time in seconds where it fits', () => {
    const record = zipDirectoryRecord({ ...SMALL, type: 'directory', mode: 0o1777 }, CONTENT, 0);
    expect(field(record, 38, 4)).toBe(0o041777 * 0x10000 + 0x10);
    const timed = zipHeader({ ...SMALL, mtime: { seconds: -5, nanoseconds: 0, zone: 0 } });
    expect([field(timed, 31, 2), field(timed, 36, 4)]).toEqual([0x5455, 2 ** 32 - 5]);
    expect(zipHeader({ ...SMALL, mtime: { seconds: 2 ** 40, nanoseconds: 0, zone: 0 } })).toHaveLength(31);
  });

  test.each([
    [1, 100, 22],
    [65_534, 100, 22],
    [65_535, 100, 98],
    [1, 4 * GIB, 98],
  ])('of %d entries in %d bytes ends with %d bytes', (entries, offset, length) => {
    const end = zipEnd(entries, offset, 50);
    expect(end).toHaveLength(length);
    if (length === 98) expect([field(end, 32, 8), field(end, 48, 8)]).toEqual([entries, offset]);
    else expect([field(end, 10, 2), field(end, 16, 4)]).toEqual([entries, offset]);
  });
});
