import { expect, test } from 'vitest';
import { renderTable } from './table.ts';

test('columns are as wide as their widest line, wide characters and colours counted right', () => {
  const table = renderTable(
    [{ title: 'ID' }, { title: 'Paths' }, { title: 'Size', align: 'right' }],
    [
      ['\u001b[36m1a2b\u001b[39m', '/日本\n/etc', '1 B'],
      ['2', '/x', '100 B'],
    ],
  );
  expect(table.split('\n')).toEqual([
    'ID    Paths   Size',
    '------------------',
    '\u001b[36m1a2b\u001b[39m  /日本    1 B',
    '      /etc',
    '2     /x     100 B',
    '------------------',
  ]);
});
