import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareNames } from '../../domain/name.ts';
import { encodeNode, type Node } from '../format/node.ts';
import { NodeMatcher } from '../format/node-match.ts';
import type { Stat } from '../format/stat.ts';
import { encodeTree } from '../format/tree.ts';
import { BlobIndex } from '../storage/blob-index.ts';
import { KnownBlobs } from '../storage/known-blobs.ts';
import { ParentNodes } from './parent-nodes.ts';

const KNOWN = 'ab'.repeat(32);
const UNKNOWN = 'cd'.repeat(32);
const index = new BlobIndex();
index.add('ef'.repeat(32), [{ id: KNOWN, type: 'data', offset: 0, length: 40, uncompressedLength: 0 }]);
const known = new KnownBlobs(index.shared());
const matcher = new NodeMatcher({ user: () => 'root', group: () => undefined });

const TIME = '1970-01-01T00:00:01Z';
const file: Omit<Node, 'name'> = {
  type: 'file',
  mode: 0o644,
  mtime: TIME,
  atime: TIME,
  ctime: TIME,
  uid: 0,
  gid: 0,
  user: 'root',
  inode: 7n,
  deviceId: 8n,
  size: 3,
  links: 1,
  content: [KNOWN],
};
const stat: Stat = {
  type: 'file',
  permissions: 0o644,
  links: 1,
  uid: 0,
  gid: 0,
  size: 3,
  inode: 7n,
  device: 8n,
  rdev: 0n,
  atime: { seconds: 5, nanoseconds: 0 },
  mtime: { seconds: 1, nanoseconds: 0 },
  ctime: { seconds: 1, nanoseconds: 0 },
};

function tree(...nodes: Node[]): Uint8Array {
  return encodeTree(nodes.toSorted((a, b) => compareNames(a.name, b.name)).map(encodeNode));
}

function kept(parent: ParentNodes, name: string, entry = stat): string | undefined {
  const node = parent.keep(name, entry, matcher, known);
  return node && Buffer.from(parent.bytes.subarray(node.start, node.end)).toString();
}

const names = fc.uniqueArray(
  fc
    .oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }),
      fc.constantFrom('"', '\\', '},{"name":"', '\udcff', 'é'),
    )
    .filter((name) => !/[/\0]/.test(name) && name !== '.' && name !== '..'),
  { minLength: 1 },
);

describe('ParentNodes', () => {
  it('keeps the stored bytes of each entry that is as it was, and tells which nodes have no entry any more', () => {
    fc.assert(
      fc.property(names, names, fc.infiniteStream(fc.boolean()), (before, fresh, changes) => {
        const parent = new ParentNodes(tree(...before.map((name) => ({ ...file, name }))));
        const now = [...new Set([...before.filter(() => !changes.next().value), ...fresh])].sort(compareNames);
        for (const name of now) {
          const expected = before.includes(name) ? encodeNode({ ...file, name }) : undefined;
          expect(kept(parent, name)).toBe(expected);
          if (expected === undefined) expect(parent.take(name)).toBeUndefined();
        }
        expect(parent.isExhausted).toBe(before.every((name) => now.includes(name)));
      }),
    );
  });

  it('gives the node of an entry that has changed, and goes on behind it', () => {
    const parent = new ParentNodes(tree(...['a', 'b', 'c'].map((name) => ({ ...file, name }))));
    expect(kept(parent, 'a', { ...stat, size: 4 })).toBeUndefined();
    expect(parent.take('a')).toEqual({ ...file, name: 'a' });
    expect(kept(parent, 'b')).toContain('"name":"b"');
    expect(parent.take('d')).toBeUndefined();
    expect(parent.isExhausted).toBe(false);
  });

  it('keeps attributes, folders with their subtrees, and links', () => {
    const extendedAttributes = [
      { name: 'user.]}"', value: 'YQ==' },
      { name: 'user.b', value: '' },
    ];
    const folder: Node = { ...file, name: 'b', type: 'dir', mode: 2 ** 31 + 0o755, size: 0, subtree: UNKNOWN };
    const { links: _, content: __, ...plain } = folder;
    const link: Node = { ...file, name: 'c', type: 'symlink', mode: 2 ** 27 + 0o777, size: 0, linkTarget: 'x' };
    const { content: ___, ...target } = link;
    const odd: Node = { ...target, name: 'd', linkTarget: '\udcff"' };
    const parent = new ParentNodes(tree({ ...file, name: 'a', extendedAttributes }, plain, target, odd));
    expect(kept(parent, 'a')).toContain('user.b');
    const node = parent.keep('b', { ...stat, type: 'dir', permissions: 0o755 }, matcher, known);
    const at = node?.subtree ?? 0;
    expect(Buffer.from(parent.bytes.subarray(at, at + 64)).toString()).toBe(UNKNOWN);
    for (const name of ['c', 'd'])
      expect(parent.keep(name, { ...stat, type: 'symlink', permissions: 0o777 }, matcher, known)).toBeDefined();
    expect(parent.isExhausted).toBe(true);
  });

  it.each([
    ['a blob that no index lists', { content: [KNOWN, UNKNOWN] }],
    ['a field that we do not know', { unknown: { later: 1 } }],
    ['an error of another backup', { error: 'x' }],
    ['no content', { content: undefined as never }],
  ])('makes nodes anew that have %s', (_, change) => {
    const parent = new ParentNodes(tree({ ...file, name: 'a', ...change }, { ...file, name: 'b' }));
    expect(kept(parent, 'a')).toBeUndefined();
    expect(kept(parent, 'b')).toContain('"name":"b"');
  });

  it('finds the nodes of trees that are written in another way, and of none that are damaged', () => {
    const json = Buffer.from(tree({ ...file, name: 'a' }, { ...file, name: 'b' })).toString();
    for (const other of [json.replaceAll(',', ', '), json.replace('{"name"', '{ "name"'), json.trim()]) {
      const parent = new ParentNodes(Buffer.from(other));
      expect([kept(parent, 'a') !== undefined, parent.take('a')?.size]).not.toEqual([false, undefined]);
      expect(parent.isExhausted).toBe(false);
    }
    for (const broken of ['', 'x', json.slice(0, 50), `${json.slice(0, -3)},{"name":]}\n`]) {
      const parent = new ParentNodes(Buffer.from(broken));
      kept(parent, 'c');
      expect(parent.take('c')).toBeUndefined();
      expect(parent.isExhausted).toBe(false);
    }
  });
});
