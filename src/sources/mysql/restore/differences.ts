/** What a restored database lacks, compared with the record of the dumped one. Pure. */
import type { DatabaseFacts } from '../logical/facts.ts';
import { hasOwnRows, type ContentInventory } from '../logical/inventory.ts';

/** What of a restored database was counted. */
export type CountedTables = ReadonlyMap<string, number>;

/** @returns sentences; none: every table is there with its rows. */
export function tableDifferences({ tables }: DatabaseFacts, found: CountedTables): readonly string[] {
  return tables
    .filter(({ kind }) => kind === 'table')
    .flatMap(({ name, engine, rows }) => {
      const is = found.get(name);
      if (is === undefined) return [`the table ${name} is missing`];
      return is === rows || !hasOwnRows(engine) ? [] : [`rows of ${name}: ${String(is)} instead of ${String(rows)}`];
    });
}

/** @returns sentences; none: views, routines, triggers and events are there. */
export function objectDifferences(recorded: DatabaseFacts, found: ContentInventory): readonly string[] {
  const missing = (what: string, was: readonly { name: string }[], is: readonly { name: string }[]): string[] => {
    const names = new Set(is.map(({ name }) => name));
    return was.filter(({ name }) => !names.has(name)).map(({ name }) => `the ${what} ${name} is missing`);
  };
  return [
    ...missing(
      'sequence',
      recorded.tables.filter(({ kind }) => kind === 'sequence'),
      found.tables,
    ),
    ...missing(
      'view',
      recorded.views.filter(({ valid }) => valid),
      found.views,
    ),
    ...missing('routine', recorded.routines, found.routines),
    ...missing('trigger', recorded.triggers, found.triggers),
    ...missing('event', recorded.events, found.events),
  ];
}
