/** Which databases a backup means. Pure. */
import { RespaldoError } from '../../../errors.ts';
import { shellPattern } from '../../server/shell-pattern.ts';
import type { BackupAddress } from '../address.ts';
import type { DatabaseInventory } from './inventory.ts';

/**
 * The databases that are named, or all but templates and those that `exclude` names.
 * @throws RespaldoError `source-missing`, `source-refused` where one of them may not be connected to.
 */
export function chooseDatabases(
  all: readonly DatabaseInventory[],
  { databases, exclude }: Pick<BackupAddress, 'databases' | 'exclude'>,
  server: string,
): readonly DatabaseInventory[] {
  const excluded = exclude.map(shellPattern);
  const wanted = databases.length > 0 ? named(all, databases, server) : all.filter(({ template }) => !template);
  const chosen = wanted.filter(({ name }) => !excluded.some((pattern) => pattern.test(name)));
  if (chosen.length === 0)
    throw new RespaldoError('source-missing', `${server}: no database is left to back up`, {
      hint: `There are: ${listOf(all)}. Check exclude= in the address.`,
    });
  const closed = chosen.find(({ connect }) => !connect);
  if (closed !== undefined)
    throw new RespaldoError('source-refused', `${server}: the role may not connect to the database "${closed.name}"`, {
      hint: `Run \`GRANT CONNECT ON DATABASE "${closed.name}" TO "<user>"\`, or leave it out: exclude=${closed.name} in the address.`,
    });
  return chosen;
}

function named(
  all: readonly DatabaseInventory[],
  names: readonly string[],
  server: string,
): readonly DatabaseInventory[] {
  const missing = names.find((name) => !all.some((database) => database.name === name));
  if (missing !== undefined)
    throw new RespaldoError('source-missing', `${server}: there is no database "${missing}"`, {
      hint: `There are: ${listOf(all)}.`,
    });
  return all.filter(({ name }) => names.includes(name));
}

function listOf(all: readonly DatabaseInventory[]): string {
  return all
    .filter(({ template }) => !template)
    .map(({ name }) => name)
    .join(', ');
}
