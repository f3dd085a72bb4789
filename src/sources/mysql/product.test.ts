import { expect, it } from 'vitest';
import { isAtLeast, programVersion, serverVersion } from './product.ts';

/* As the programs of these versions say it. */
it.each([
  ['mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)', 'mariadb', [10, 11, 19]],
  ['mysqldump  Ver 10.16 Distrib 10.1.48-MariaDB, for debian-linux-gnu (x86_64)', 'mariadb', [10, 1, 48]],
  ['mariadb-dump from 11.4.2-MariaDB, client 10.19 for debian-linux-gnu (x86_64)', 'mariadb', [11, 4, 2]],
  [
    'mariadb from 11.8.3-MariaDB, client 15.2 for debian-linux-gnu (x86_64) using  EditLine wrapper',
    'mariadb',
    [11, 8, 3],
  ],
  ['mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)', 'mariadb', [10, 11, 19]],
  ['mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)', 'mysql', [5, 7, 44]],
  ['mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)', 'mysql', [8, 0, 36]],
  ['mysql  Ver 8.4.2 for Linux on x86_64 (MySQL Community Server - GPL)', 'mysql', [8, 4, 2]],
  ['mysql  Ver 14.14 Distrib 5.7.44, for Linux (x86_64) using  EditLine wrapper', 'mysql', [5, 7, 44]],
] as const)('%s is known', (said, product, numbers) => {
  expect(programVersion(said)).toEqual({ product, numbers });
});

it('what says no version is no such program', () => {
  expect(programVersion('usage: mysqldump [-h]')).toBeUndefined();
});

it.each([
  ['10.11.19-MariaDB-0+deb12u1-log', 'Debian 12', 'mariadb', [10, 11, 19]],
  ['5.5.5-10.6.18-MariaDB', 'mariadb.org binary distribution', 'mariadb', [10, 6, 18]],
  ['8.0.36-0ubuntu0.22.04.1', '(Ubuntu)', 'mysql', [8, 0, 36]],
  ['8.0.36-28', 'Percona Server (GPL), Release 28', 'mysql', [8, 0, 36]],
] as const)('the server %s is known', (version, comment, product, numbers) => {
  expect(serverVersion(version, comment)).toEqual({ product, numbers });
});

it('versions are compared number by number', () => {
  const version = serverVersion('10.11.6-MariaDB', '');
  expect(
    [[10], [10, 11], [10, 11, 6], [9, 99, 99]].map(([a = 0, b, c]) => isAtLeast(version, a, b ?? 0, c ?? 0)),
  ).toEqual([true, true, true, true]);
  expect(isAtLeast(version, 10, 11, 7) || isAtLeast(version, 11)).toBe(false);
});
