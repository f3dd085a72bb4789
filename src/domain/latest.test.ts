import { expect, test } from 'vitest';
import { latestOfEach } from './latest.ts';
import type { Snapshot } from './snapshot.ts';

const snapshot = (id: string, hostname: string, ...paths: string[]): Snapshot => ({
  id,
  time: '2025-01-31T07:05:09Z',
  tree: '',
  paths,
  hostname,
  username: 'root',
});

test('the newest of each group stay, in their order', () => {
  const all = [
    snapshot('1', 'a', '/etc'),
    snapshot('2', 'b', '/etc'),
    snapshot('3', 'a', '/etc', '/srv'),
    snapshot('4', 'a', '/etc'),
    snapshot('5', 'a', '/srv', '/etc'),
    snapshot('6', 'a', '/etc'),
  ];
  expect(latestOfEach(all, 1).map(({ id }) => id)).toEqual(['2', '5', '6']);
  expect(latestOfEach(all, 2).map(({ id }) => id)).toEqual(['2', '3', '4', '5', '6']);
  expect(latestOfEach(all, 1, { host: true, paths: false, tags: false }).map(({ id }) => id)).toEqual(['2', '6']);
});
