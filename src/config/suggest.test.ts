import { expect, it } from 'vitest';
import { didYouMean, nearName } from './suggest.ts';

const KEYS = ['source', 'repository', 'exclude', 'tags', 'one-file-system'];

it.each([
  ['sorce', 'source'],
  ['Source', 'source'],
  ['exlcude', 'exclude'],
  ['tag', 'tags'],
  ['onefilesystem', 'one-file-system'],
])('takes %s for %s', (name, meant) => {
  expect(nearName(name, KEYS)).toBe(meant);
});

it.each(['x', 'zzzz', 'password', ''])('takes %j for nothing', (name) => {
  expect(nearName(name, KEYS)).toBeUndefined();
});

it('says nothing where nothing is near', () => {
  expect(didYouMean('zzzz', KEYS)).toBe('');
  expect(didYouMean('sorce', KEYS)).toBe(', did you mean source?');
  expect(didYouMean('sorce', [])).toBe('');
});
