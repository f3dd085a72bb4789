import { expect, it } from 'vitest';
import { parseSize } from './size.ts';

it('reads sizes as restic does, whatever the case of the unit', () => {
  const sizes = ['0', '500', '500b', '1k', '1K', '3m', '2G', '1t'];
  expect(sizes.map(parseSize)).toEqual([0, 500, 500, 1024, 1024, 3 * 1024 ** 2, 2 * 1024 ** 3, 1024 ** 4]);
});

it('knows no other sizes', () => {
  for (const text of ['', 'k', '-1', '1.5M', '1 M', '1MB', '1MiB', '0x10', '99999999T'])
    expect(parseSize(text), text).toBeUndefined();
});
