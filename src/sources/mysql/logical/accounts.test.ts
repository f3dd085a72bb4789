import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identifier, literal } from '../sql.ts';
import { accountsText, parseAccounts, withoutPassword } from './accounts.ts';

describe('a file of accounts', () => {
  it('gives them back, whatever they are called', () => {
    const name = fc.string({ unit: 'binary' });
    const part = fc.oneof(name, fc.constantFrom(';\n', '\n-- account "x"\n', "'", '`', '\\', '\n'));
    const odd = fc.array(part).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.uniqueArray(odd, { maxLength: 4 }), (names) => {
        const accounts = names.map((account) => ({
          name: account,
          statements: [`CREATE USER ${literal(account)}`, `GRANT x ON ${identifier(account)}.* TO\n-- y`],
        }));
        expect(parseAccounts(accountsText(accounts))).toEqual(accounts);
      }),
    );
  });

  it('makes all of them before it grants anything', () => {
    const accounts = ['b', 'a'].map((name) => ({ name, statements: [`CREATE ROLE ${name}`, `GRANT a TO ${name}`] }));
    const text = accountsText(accounts);
    expect(text.indexOf('CREATE ROLE a')).toBeLessThan(text.indexOf('GRANT a TO b'));
  });

  it('is read as older programs wrote it, and with something before and after', () => {
    const text =
      'SET NAMES utf8mb4;\n-- account "a"\nCREATE ROLE a;\nGRANT x;\n\n-- account "b"\nGRANT y;\n-- The end\n';
    expect(parseAccounts(text)).toEqual([
      { name: 'a', statements: ['CREATE ROLE a', 'GRANT x'] },
      { name: 'b', statements: ['GRANT y'] },
    ]);
  });
});

it.each([
  ["GRANT SELECT, SUPER ON *.* TO `a`@`b` IDENTIFIED BY PASSWORD '*D82'", 'GRANT SELECT, SUPER ON *.* TO `a`@`b`'],
  [
    "GRANT USAGE ON *.* TO `a``@`@`%` IDENTIFIED VIA x USING 'it\\'s' OR y REQUIRE SSL WITH GRANT OPTION MAX_QUERIES_PER_HOUR 5",
    'GRANT USAGE ON *.* TO `a``@`@`%` WITH GRANT OPTION',
  ],
  ["GRANT USAGE ON *.* TO 'a'@'b' REQUIRE SUBJECT ' WITH GRANT OPTION'", "GRANT USAGE ON *.* TO 'a'@'b'"],
  [
    'GRANT ALL ON *.* TO `a`@`b` WITH MAX_QUERIES_PER_HOUR 5 GRANT OPTION',
    'GRANT ALL ON *.* TO `a`@`b` WITH GRANT OPTION',
  ],
  ['GRANT SELECT ON `x`.* TO `a`@`b` WITH GRANT OPTION', 'GRANT SELECT ON `x`.* TO `a`@`b` WITH GRANT OPTION'],
  ['GRANT USAGE ON *.* TO `role`', 'GRANT USAGE ON *.* TO `role`'],
])('a grant changes nobody’s password: %s', (grant, without) => {
  expect(withoutPassword(grant)).toBe(without);
});
