import { expect, it } from 'vitest';
import { viewStatements, withoutDatabase } from './views.ts';

it.each([
  ['select `shop`.`f`(1) AS `a`', 'select `f`(1) AS `a`'],
  ['select `shop`.`t`.`c` AS `c` from `t`', 'select `t`.`c` AS `c` from `t`'],
  ['select `t`.`shop` AS `shop` from `t`', 'select `t`.`shop` AS `shop` from `t`'],
  ['select `shop`.`c` AS `c` from `t` `shop`', 'select `shop`.`c` AS `c` from `t` `shop`'],
  ["select '`shop`.`f`(' AS `it's`", "select '`shop`.`f`(' AS `it's`"],
  ["select '\\'`shop`.`f`(' AS `a`", "select '\\'`shop`.`f`(' AS `a`"],
  ['select `blog`.`shop`.`c` AS `c`', 'select `blog`.`shop`.`c` AS `c`'],
])('%s names its own database nowhere', (create, expected) => {
  expect(withoutDatabase(create, 'shop')).toBe(expected);
});

it('views that rest on each other are made with their columns first', () => {
  const view = (name: string, state: 'sound' | 'orphaned' | 'broken') =>
    ({
      name,
      create: `CREATE VIEW \`${name}\` AS\nx`,
      charset: 'utf8mb4',
      collation: 'c',
      state,
      columns: ['a'],
    }) as const;
  const lines = viewStatements([view('b', 'broken'), view('a', 'sound'), view('o', 'orphaned')]).split('\n');
  expect(lines.filter((line) => line.includes('VIEW') || line.startsWith('--'))).toEqual([
    'CREATE OR REPLACE VIEW `a` AS SELECT 1 AS `a`;',
    'CREATE OR REPLACE VIEW `a` AS',
    'CREATE OR REPLACE VIEW `o` AS',
    '-- It was broken when it was dumped:',
    '-- SET NAMES utf8mb4;',
    "-- SET collation_connection = 'c';",
    '-- CREATE OR REPLACE VIEW `b` AS',
    '-- x;',
  ]);
});

it('a view is made after those that it names, and one that names itself, or in a circle, is made as well', () => {
  const view = (name: string, named: string) =>
    ({
      name,
      create: `CREATE VIEW \`${name}\` AS select 1 from \`${named}\``,
      charset: 'utf8mb4',
      collation: 'c',
      state: 'sound',
      columns: ['a'],
    }) as const;
  const made = viewStatements([view('a', 'b'), view('b', 'c'), view('c', 't'), view('d', 'e'), view('e', 'd')]);
  expect([...made.matchAll(/VIEW `(.)` AS select/g)].map(([, name]) => name)).toEqual(['c', 'b', 'a', 'e', 'd']);
});
