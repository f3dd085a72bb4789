/** Which databases a backup means. Pure. */
import { RespaldoError } from '../../../errors.ts';
import { shellPattern } from '../../server/shell-pattern.ts';
import type { BackupAddress } from '../address.ts';
import { SYSTEM, type DatabaseInventory } from './inventory.ts';

/**
 * The databases that are named, or all but those that `exclude` names.
 * @throws RespaldoError `source-missing`.
 */
export function chooseDatabases(
  all: readonly DatabaseInventory[],
  { databases, exclude }: Pick<BackupAddress, 'databases' | 'exclude'>,
  server: string,
): readonly DatabaseInventory[] {
  const there = all.length === 0 ? 'It holds none that the account may see.' : `There are: ${namesOf(all)}.`;
  const missing = databases.find((name) => !all.some((database) => database.name === name));
  if (missing !== undefined && SYSTEM.includes(missing.toLowerCase()))
    throw new RespaldoError('source-refused', `${server}: "${missing}" is the server’s own, and is never dumped`, {
      hint: 'Accounts and grants are dumped by themselves. Leave it out.',
    });
  if (missing !== undefined)
    throw new RespaldoError('source-missing', `${server}: there is no database "${missing}"`, { hint: there });
  const excluded = exclude.map(shellPattern);
  const wanted = databases.length > 0 ? all.filter(({ name }) => databases.includes(name)) : all;
  const chosen = wanted.filter(({ name }) => !excluded.some((pattern) => pattern.test(name)));
  if (chosen.length > 0) return chosen;
  throw new RespaldoError('source-missing', `${server}: no database is left to back up`, {
    hint: `${there} The server’s own (mysql, sys …) are never dumped. Check exclude= in the address.`,
  });
}

function namesOf(all: readonly DatabaseInventory[]): string {
  return all.map(({ name }) => name).join(', ');
}
