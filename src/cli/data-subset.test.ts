import { expect, test } from 'vitest';
import { parseDataSubset } from './data-subset.ts';

test.each([
  ['1/1', { part: 1, parts: 1 }],
  ['3/256', { part: 3, parts: 256 }],
  ['10%', { percent: 10 }],
  ['0.5%', { percent: 0.5 }],
  ['100%', { percent: 100 }],
  ['500', { bytes: 500 }],
  ['2G', { bytes: 2 ** 31 }],
])('%s is understood as restic does', (text, subset) => expect(parseDataSubset(text)).toEqual(subset));

test.each(['', '0/5', '6/5', '1/257', '1/2/3', '0%', '101%', '-1%', '0', 'half', '1/0'])('"%s" is refused', (text) =>
  expect(() => parseDataSubset(text)).toThrow('Write it as 2/5'),
);
