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

test('flexible columns give way to the terminal, broken where words end', () => {
  const columns = [{ title: 'ID' }, { title: 'Paths', flexible: true }, { title: 'Tags', flexible: true }];
  const table = renderTable(columns, [['1a2b', '/var/lib/postgresql/15/main', 'plan=shop,type=full']], 32);
  expect(table.split('\n').slice(2, -1)).toEqual([
    '1a2b  /var/lib/     plan=shop,',
    '      postgresql/   type=full',
    '      15/main',
  ]);
  const narrow = renderTable(columns, [['1', 'a'.repeat(30), '日本日本日本日本']], 20);
  expect(narrow).toContain(`1   ${'a'.repeat(12)}  日本日本日本\n    ${'a'.repeat(12)}  日本\n`);
});
