import { expect, test } from 'vitest';
import { absolute, filterOf, parseReference } from './select.ts';

test('a reference names a snapshot and, after a colon, a path in it', () => {
  expect(parseReference('latest')).toEqual({ snapshot: 'latest' });
  expect(parseReference('1a2b:/etc/ssl/')).toEqual({ snapshot: '1a2b', path: '/etc/ssl' });
  expect(parseReference('latest:data:2')).toEqual({ snapshot: 'latest', path: '/data:2' });
  expect(parseReference('latest:/')).toEqual({ snapshot: 'latest', path: '/' });
});

test('paths in a snapshot start at its root', () => {
  expect(['/', '', 'a/b/', '/a'].map(absolute)).toEqual(['/', '/', '/a/b', '/a']);
});

test('each --tag is a list of tags that must all be there', () => {
  expect(filterOf({ host: [], tag: ['a,b', 'c'], path: [] }).tags).toEqual([['a', 'b'], ['c']]);
});
