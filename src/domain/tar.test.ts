import { describe, expect, it } from 'vitest';
import { type TarEntry, tarHeader, tarPadding } from './tar.ts';

const FILE: TarEntry = {
  path: 'a/file',
  type: 'file',
  size: 7,
  mode: 0o4755,
  uid: 1,
  gid: 2,
  user: 'ana',
  group: 'staff',
};
const latin1 = (entry: Partial<TarEntry>): string => Buffer.from(tarHeader({ ...FILE, ...entry })).toString('latin1');
const at = (seconds: number, nanoseconds: number) => ({ seconds, nanoseconds, zone: 0 });

describe('The header of a tar entry', () => {
  it('is one block where everything fits', () => {
    const header = latin1({ mtime: at(8, 0) });
    expect(header).toHaveLength(512);
    expect(header.slice(0, 10)).toBe('a/file\0\0\0\0');
    expect(header.slice(100, 148)).toBe('0004755\x000000001\x000000002\x0000000000007\x0000000000010\0');
    expect(header.slice(156, 157)).toBe('0');
    expect(header.slice(257, 300)).toBe(`ustar\x0000ana${'\0'.repeat(29)}sta`);
    const withoutSum = `${header.slice(0, 148)}${' '.repeat(8)}${header.slice(156)}`;
    const sum = Array.from(withoutSum).reduce((total, char) => total + char.charCodeAt(0), 0);
    expect(parseInt(header.slice(148, 154), 8)).toBe(sum);
  });

  it.each<[Partial<TarEntry>, string]>([
    [{ path: 'p'.repeat(101) }, `111 path=${'p'.repeat(101)}\n`],
    [{ path: 'p'.repeat(93) + 'é' }, `105 path=${'p'.repeat(93)}Ã©\n`],
    [{ path: `${'p'.repeat(90)}\udcff` }, `101 path=${'p'.repeat(90)}\u00ff\n`],
    [{ type: 'directory', size: 0, path: 'd'.repeat(100) }, `111 path=${'d'.repeat(100)}/\n`],
    [{ type: 'symlink', size: 0, target: 'ñ' }, '15 linkpath=Ã±\n'],
    [{ size: 0o77777777777 + 1 }, '19 size=8589934592\n'],
    [{ uid: 4294967294 }, '18 uid=4294967294\n'],
    [{ group: 'Größe' }, '17 gname=GrÃ¶Ã\u009fe\n'],
    [{ mtime: at(-1, 500_000_000) }, '14 mtime=-0.5\n'],
    [{ mtime: at(1_234_567_890, 1) }, '30 mtime=1234567890.000000001\n'],
    [{ mtime: at(1, 0), atime: at(-2, 0) }, '12 atime=-2\n'],
    [{ attributes: [{ name: 'user.a', value: Uint8Array.of(0, 255, 10) }] }, '27 SCHILY.xattr.user.a=\x00\xff\n\n'],
  ])('has a record before it for %j', (entry, record) => {
    const header = latin1(entry);
    expect(header.slice(156, 157)).toBe('x');
    expect(parseInt(header.slice(124, 135), 8)).toBe(record.length);
    expect(Number(record.split(' ')[0])).toBe(record.length);
    expect(header.slice(512, 512 + record.length)).toBe(record);
    expect(header.length % 512).toBe(0);
  });

  it('and the content fill whole blocks', () => {
    expect([0, 1, 511, 512, 513].map((size) => (size + tarPadding(size).length) / 512)).toEqual([0, 1, 1, 1, 2]);
  });
});
