import { expect, test } from 'vitest';
import { renderTable, type Column } from './table.ts';

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
  const columns: Column[] = [{ title: 'ID' }, { title: 'Paths', flexible: true }, { title: 'Tags', flexible: true }];
  const table = renderTable(columns, [['1a2b', '/var/lib/postgresql/15/main', 'plan=shop,type=full']], 32);
  expect(table.split('\n').slice(2, -1)).toEqual([
    '1a2b  /var/lib/     plan=shop,',
    '      postgresql/   type=full',
    '      15/main',
  ]);
  const narrow = renderTable(columns, [['1', 'a'.repeat(30), '日本日本日本日本']], 30);
  expect(narrow).toContain(`1   ${'a'.repeat(12)}  日本日本日本\n    ${'a'.repeat(12)}  日本\n`);
  const narrower = renderTable(columns, [['1', 'a'.repeat(30), 'b'.repeat(30)]], 20).split('\n');
  expect(Math.max(...narrower.map((line) => line.length))).toBe(20);
});

test('a colour does not run over into other columns where its text goes on below', () => {
  const table = renderTable(
    [{ title: 'A', flexible: true }, { title: 'Time', flexible: 'last' }, { title: 'B' }],
    [['\u001b[31mlast run has failed\u001b[39m', '2025-01-31 07:05:09', 'x']],
    37,
  );
  expect(table.split('\n').slice(2, -1)).toEqual([
    '\u001b[31mlast run has\u001b[39m   2025-01-31 07:05:09  x',
    '\u001b[31mfailed\u001b[39m',
  ]);
  expect(renderTable([{ title: 'Time', flexible: 'last' }], [['2025-01-31 07:05:09']], 15)).toContain('31\n07:05:09\n');
});
