import fc from 'fast-check';
import { expect, it } from 'vitest';
import { accountsText, parseAccounts } from './accounts.ts';

it('accounts come back from their file, whatever they are called', () => {
  const name = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(fc.array(fc.record({ name })), (names) => {
      const accounts = names.map((account, i) => ({
        ...account,
        statements: [`CREATE USER u${String(i)}`, 'GRANT x\n-- y'],
      }));
      expect(parseAccounts(accountsText(accounts))).toEqual(accounts);
    }),
  );
});
