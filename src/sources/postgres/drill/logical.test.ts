import { expect, test } from 'vitest';
import { tablespaceNames } from './logical.ts';

test('tablespaces are found in what pg_dumpall writes, whatever their names', () => {
  const globals = [
    'CREATE ROLE postgres;',
    "CREATE TABLESPACE fast OWNER postgres LOCATION E'/mnt/fast';",
    `CREATE TABLESPACE "gran ""disco""" OWNER "a b" LOCATION E'/mnt/x';`,
    '-- CREATE TABLESPACE no OWNER postgres',
  ].join('\n');
  expect(tablespaceNames(globals)).toEqual(['fast', 'gran "disco"']);
});
