import { expect, it } from 'vitest';
import { fileName } from './file-name.ts';

it('encodes what a file’s name cannot be', () => {
  expect(['..', 'a/b', 'two\nlines', '50%', 'ñ表'].map(fileName)).toEqual([
    '%2e.',
    'a%2fb',
    'two%0alines',
    '50%25',
    'ñ表',
  ]);
});
