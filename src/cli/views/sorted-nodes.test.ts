import { expect, test } from 'vitest';
import type { ListedNode } from '../../repository/repository.ts';
import { sorted } from './sorted-nodes.ts';

const node = (path: string, size: number, minute: number, more?: Partial<ListedNode>): ListedNode => ({
  path,
  name: path.slice(path.lastIndexOf('/') + 1),
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size,
  mtime: `2025-01-31T07:0${minute}:00.000000001Z`,
  ctime: `2025-01-31T07:0${9 - minute}:00Z`,
  ...more,
});

const nodes = [
  node('/b', 4096, 1, { type: 'dir' }),
  node('/b/c.txt', 7, 3),
  node('/b/d', 7, 2),
  node('/.a', 9, 2, { atime: '2025-01-31T07:00:00Z' }),
];

test.each([
  ['name', ['/b', '/b/c.txt', '/b/d', '/.a']],
  ['size', ['/b', '/b/c.txt', '/b/d', '/.a']],
  ['time', ['/b', '/.a', '/b/d', '/b/c.txt']],
  ['mtime', ['/b', '/.a', '/b/d', '/b/c.txt']],
  ['ctime', ['/b/c.txt', '/.a', '/b/d', '/b']],
  ['atime', ['/b', '/b/c.txt', '/b/d', '/.a']],
  ['extension', ['/b', '/b/d', '/.a', '/b/c.txt']],
] as const)('entries are sorted by %s, equal ones by path, or the other way round', (order, expected) => {
  expect(sorted(nodes, order, false).map(({ path }) => path)).toEqual(expected);
  expect(sorted(nodes, order, true).map(({ path }) => path)).toEqual(expected.toReversed());
});
