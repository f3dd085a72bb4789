import { describe, expect, it } from 'vitest';
import { markerName } from './marker.ts';
import { metadataOf } from './metadata.ts';
import { givesWay, isTrusted } from './policy.ts';
import { selection } from './selection.ts';
import { reasonOf, targetError } from './target-error.ts';
import { findNode, findTree, pathComponents } from './tree-path.ts';

describe('selection', () => {
  it('takes everything without patterns, and looks below folders alone', () => {
    const select = selection({ include: [], exclude: [] });
    expect(select('/a', true)).toEqual({ selected: true, below: true });
    expect(select('/a', false)).toEqual({ selected: true, below: false });
  });

  it('looks where something included may lie, and not below what is excluded', () => {
    const select = selection({ include: ['/a/b/*.txt'], exclude: ['/a/b/x*'] });
    expect(select('/a', true)).toEqual({ selected: false, below: true });
    expect(select('/c', true)).toEqual({ selected: false, below: false });
    expect(select('/a/b/y.txt', false)).toEqual({ selected: true, below: false });
    expect(select('/a/b/x.txt', false)).toEqual({ selected: false, below: false });
    expect(select('/a/b/x', true)).toEqual({ selected: false, below: false });
  });

  it('names malformed patterns', () => {
    expect(() => selection({ include: ['ok', '[x'], exclude: ['y\\'] })).toThrow('[x, y\\');
  });
});

describe('the overwrite policy', () => {
  const existing = { mtimeNs: 100n, size: 5n, nlink: 2n };
  it.each([
    ['always', 99n, true],
    ['if-changed', 99n, true],
    ['if-newer', 99n, false],
    ['if-newer', 100n, false],
    ['if-newer', 101n, true],
    ['never', 101n, false],
    [undefined, 99n, true],
  ] as const)('%s lets what exists give way to time %s: %s', (policy, mtimeNs, expected) => {
    expect(givesWay(policy, existing, mtimeNs)).toBe(expected);
  });

  it('trusts size and time for if-changed alone', () => {
    const same = { mtimeNs: 100n, size: 5, links: 2 };
    expect(isTrusted('if-changed', existing, same)).toBe(true);
    expect(isTrusted('if-changed', existing, { ...same, mtimeNs: 101n })).toBe(false);
    expect(isTrusted('if-changed', existing, { ...same, size: 6 })).toBe(false);
    expect(isTrusted('if-changed', existing, { ...same, links: 1 })).toBe(false);
    expect(isTrusted('always', existing, same)).toBe(false);
    expect(isTrusted(undefined, existing, same)).toBe(false);
  });
});

describe('metadata', () => {
  const node = { name: 'f', type: 'file', mode: 0o644, uid: 2 ** 40, gid: 5, size: 0 } as const;

  it('keeps times within what a file system call takes', () => {
    const zero = metadataOf({ ...node, mtime: '0001-01-01T00:00:00Z', atime: '9999-12-31T23:59:59Z' });
    expect(zero.mtimeNs).toBe(-(2n ** 63n));
    expect(zero.atimeNs).toBe(2n ** 63n - 1n);
    expect(metadataOf(node)).toMatchObject({ mtimeNs: 0n, atimeNs: 0n, uid: 0xffff_ffff, gid: 5 });
  });
});

describe('the marker’s name', () => {
  it('is one that the restored folder does not hold', () => {
    expect(markerName([{ name: 'a' }])).toBe('.respaldo-restore');
    expect(markerName([{ name: '.respaldo-restore.1' }, { name: '.respaldo-restore' }])).toBe('.respaldo-restore.2');
  });
});

describe('errors of the target', () => {
  const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code });

  it('say what happened without repeating the path', () => {
    expect(reasonOf(failure('ENOSPC', "ENOSPC: no space left on device, write '/a, b'"))).toBe(
      'no space left on device (ENOSPC)',
    );
    expect(reasonOf(new Error('something else'))).toBe('something else');
    expect(reasonOf('text')).toBe('text');
  });

  it('tell a full disk from a refusal, and leave other errors alone', () => {
    const full = targetError('write', '/t/a\udcff', failure('EDQUOT', 'EDQUOT: disk quota exceeded, write'));
    expect(full).toMatchObject({
      code: 'target-full',
      message: 'cannot write /t/a\\xff: disk quota exceeded (EDQUOT)',
    });
    expect(targetError('write', '/t', failure('EACCES', 'EACCES: permission denied'))).toMatchObject({
      code: 'target-refused',
    });
    const bug = new TypeError('a bug');
    expect(targetError('write', '/t', bug)).toBe(bug);
  });
});

describe('paths within a snapshot', () => {
  const base = { mode: 0, uid: 0, gid: 0, size: 0 };
  const trees: Record<string, readonly (typeof base & { name: string; type: 'dir' | 'file'; subtree?: string })[]> = {
    root: [
      { ...base, name: 'a', type: 'dir', subtree: 'below' },
      { ...base, name: 'f', type: 'file' },
    ],
    below: [{ ...base, name: 'b', type: 'dir', subtree: 'deepest' }],
    deepest: [],
  };
  const load = (id: string) => Promise.resolve(trees[id] ?? []);
  const { signal } = new AbortController();

  it('are found component by component', async () => {
    expect(pathComponents('//a/./b/')).toEqual(['a', 'b']);
    expect(await findNode(load, 'root', '/a/b', signal)).toMatchObject({ name: 'b' });
    expect(await findNode(load, 'root', '/a/x/b', signal)).toBeUndefined();
    expect(await findNode(load, 'root', '/f/b', signal)).toBeUndefined();
    expect(await findNode(load, 'root', '/', signal)).toBeUndefined();
    expect(await findTree(load, 'root', '/', signal)).toBe('root');
    expect(await findTree(load, 'root', 'a/b', signal)).toBe('deepest');
    await expect(findTree(load, 'root', '/f', signal)).rejects.toMatchObject({ code: 'path-missing' });
  });
});
