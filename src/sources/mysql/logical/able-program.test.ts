import { expect, it } from 'vitest';
import type { Version } from '../product.ts';
import { lackOf } from './able-program.ts';
import type { TableInventory } from './inventory.ts';

const MARIADB: Version = { product: 'mariadb', numbers: [10, 11, 6] };
const MYSQL: Version = { product: 'mysql', numbers: [8, 4, 3] };
const SEQUENCE: TableInventory = {
  ...{ name: 'numbers', kind: 'sequence', engine: 'InnoDB', rowEstimate: 1, bytes: 0 },
  ...{ consistent: true, versioned: false },
};

const NOTHING = { tables: [], computed: [], routines: [] };
const PACKAGE = { name: 'box', definer: 'root@localhost', kind: 'package' as const };

it.each([
  ['of another product for generated columns', MARIADB, MYSQL, { ...NOTHING, computed: ['bills'] }, 'bills of "shop"'],
  ['of another product for sequences', MYSQL, MARIADB, { ...NOTHING, tables: [SEQUENCE] }, 'sequence numbers'],
  ['of another product for packages', MYSQL, MARIADB, { ...NOTHING, routines: [PACKAGE] }, 'package box'],
])('a program %s is told from one that can dump them', (_what, tool, version, content, lack) => {
  const databases = [{ name: 'shop', content }];
  expect(lackOf(tool, { version }, databases)).toContain(lack);
  expect(lackOf(version, { version }, databases)).toBeUndefined();
  expect(lackOf(tool, { version }, [{ name: 'shop', content: NOTHING }])).toBeUndefined();
});
