import { expect, test } from 'vitest';
import { parseExcludeFile } from './exclude-file.ts';

test('an exclude file is read as restic reads it', () => {
  const text = '\ufeff# caches\r\n\n  *.tmp  \n$HOME/.cache\n${HOME}/x\ncost$$5\n$NOTHING/y\n';
  expect(parseExcludeFile(text, { HOME: '/home/ana' })).toEqual([
    '*.tmp',
    '/home/ana/.cache',
    '/home/ana/x',
    'cost$5',
    '/y',
  ]);
});
