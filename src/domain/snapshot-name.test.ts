import { expect, it } from 'vitest';
import { nameComplaint, nameOf, nameTag } from './snapshot-name.ts';

it.each(['pre_migration', 'prod_20250630', 'año-nuevo', 'v1.2', '2025-06-30'])('%s can name a snapshot', (name) => {
  expect(nameComplaint(name)).toBeUndefined();
  expect(nameOf({ tags: ['x', nameTag(name)] })).toBe(name);
});

it.each(['', 'latest', 'deadbeef', 'ABBA', '20250630', 'a:b', 'a,b', 'a/b', '-x', 'a b', 'x'.repeat(101)])(
  '"%s" cannot',
  (name) => {
    expect(nameComplaint(name)).toBeTypeOf('string');
  },
);

it('a snapshot without such a tag has no name', () => {
  expect(nameOf({ tags: ['named'] })).toBeUndefined();
  expect(nameOf({})).toBeUndefined();
});
