import { expect, test } from 'vitest';
import { isGuardedSince } from './guard.ts';

test.each([
  ['pg_dump (PostgreSQL) 12.22', false],
  ['pg_dump (PostgreSQL) 13.21', false],
  ['pg_dump (PostgreSQL) 13.22', true],
  ['pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)', true],
  ['pg_dump (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)', false],
  ['pg_dump (PostgreSQL) 17.5', false],
  ['pg_dump (PostgreSQL) 17.10', true],
  ['pg_dump (PostgreSQL) 18beta1', true],
  ['pg_dump (PostgreSQL) 19.0', true],
  ['something else', false],
])('whether %s guards its scripts is known to be %s', (version, isGuarded) => {
  expect(isGuardedSince(version)).toBe(isGuarded);
});
