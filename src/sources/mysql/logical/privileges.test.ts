import { expect, it } from 'vitest';
import { mayLockAll, missingPrivileges, privilegesOf, seesBinaryLog, seesRoutines } from './privileges.ts';

const of = (...grants: string[]) => privilegesOf(grants);

it.each([
  [['GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`'], []],
  [['GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO `d`@`%`'], []],
  [['GRANT USAGE ON *.* TO `d`@`%`', 'GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `shop`.* TO `d`@`%`'], []],
  [['GRANT ALL PRIVILEGES ON `sh\\_op`.* TO `d`@`%`'], ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT']],
  [['GRANT ALL PRIVILEGES ON `s%`.* TO `d`@`%`'], []],
  [
    ['GRANT SELECT ON *.* TO `d`@`%`', 'GRANT EVENT ON `shop`.* TO `d`@`%`'],
    ['SHOW VIEW', 'TRIGGER'],
  ],
  [['GRANT SELECT ON `shop`.`t` TO `d`@`%`'], ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT']],
])('%j lacks %j on shop', (grants, missing) => {
  expect(missingPrivileges(of(...grants), 'shop')).toEqual(missing);
});

it('routines, the binary log and locks want more', () => {
  expect(seesRoutines(of('GRANT SELECT ON `shop`.* TO a'))).toBe(false);
  expect(seesRoutines(of('GRANT SELECT ON `mysql`.* TO a'))).toBe(true);
  expect(seesBinaryLog(of('GRANT SELECT, REPLICATION CLIENT ON *.* TO a'))).toBe(true);
  expect(mayLockAll(of('GRANT SELECT ON *.* TO a'))).toBe(false);
});
