import { expect, test } from 'vitest';
import { parsePatternFile } from './pattern-file.ts';
import { decodeText } from './text-file.ts';

test('a file of patterns is read as restic reads it', () => {
  const text = '# caches\r\n\n  *.tmp  \n$HOME/.cache\n${HOME}/x\ncost$$5\n$NOTHING/y\n';
  expect(parsePatternFile(text, { HOME: '/home/ana' })).toEqual([
    '*.tmp',
    '/home/ana/.cache',
    '/home/ana/x',
    'cost$5',
    '/y',
  ]);
});

test('text is read with any byte order mark, and what is no text keeps its bytes', () => {
  expect(decodeText(Buffer.from('\ufeff*.tmp'))).toBe('*.tmp');
  expect(decodeText(Buffer.from('\ufeff*.tmp', 'utf16le'))).toBe('*.tmp');
  expect(decodeText(Buffer.from('\ufeff*.tmp', 'utf16le').swap16())).toBe('*.tmp');
  expect(decodeText(Buffer.from([0x61, 0xff]))).toBe('a\udcff');
});
