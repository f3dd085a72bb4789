import { expect, it } from 'vitest';
import type { DatabaseFacts } from '../logical/facts.ts';
import { tableDifferences } from './differences.ts';

it('rows are compared where they are a table’s own: what a MERGE table shows is others’', () => {
  const table = { kind: 'table', rowEstimate: 0, bytes: 0, rows: 0, consistent: true, file: 'x.sql' } as const;
  const facts = {
    tables: [
      { ...table, name: 'all', engine: 'MRG_MyISAM' },
      { ...table, name: 'own', engine: 'InnoDB' },
    ],
  } as unknown as DatabaseFacts;
  const counted = new Map([
    ['all', 1],
    ['own', 1],
  ]);
  expect(tableDifferences(facts, counted)).toEqual(['rows of own: 1 instead of 0']);
});
