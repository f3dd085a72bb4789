/** Whether this process reads tables itself, and over how many connections. Pure. */
import { availableParallelism } from 'node:os';
import type { BackupAddress } from '../address.ts';
import type { ContentInventory } from './inventory.ts';

type Surveyed = { readonly content: Pick<ContentInventory, 'tables'> };

/** Engines whose tables hold their own rows: the dump programs know which others to leave out. */
const KNOWN = ['innodb', 'myisam', 'aria', 'memory', 'archive', 'csv', 'rocksdb', 'tokudb', 'blackhole'];
const MOST = 4;
/** Smaller tables are read in less time than another connection takes. */
const LARGE = 1024 * 1024;

/** Somebody's own arguments are for the dump program. */
export function mayReadDirectly(
  { extraArguments }: Pick<BackupAddress, 'extraArguments'>,
  databases: readonly Surveyed[],
): boolean {
  const tables = databases.flatMap(({ content }) => content.tables);
  return extraArguments.length === 0 && tables.every(({ engine }) => KNOWN.includes(engine.toLowerCase()));
}

/** @param wanted by the address */
export function usefulConnections(wanted: number | undefined, databases: readonly Surveyed[]): number {
  const large = databases.flatMap(({ content }) => content.tables).filter(({ bytes }) => bytes >= LARGE).length;
  return wanted ?? Math.max(1, Math.min(availableParallelism(), MOST, large));
}
