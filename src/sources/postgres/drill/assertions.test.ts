import { expect, test } from 'vitest';
import type { Assertion } from '../../../domain/drill.ts';
import { placeAssertions } from './assertions.ts';

const sql = 'SELECT true';
const databaseOf = (assertion: Assertion, databases: readonly string[]) =>
  placeAssertions([assertion], databases)[0]?.database;

test('an assertion is about the only database that is not PostgreSQL’s own', () => {
  expect(databaseOf({ sql }, ['postgres', 'shop', 'template1'])).toBe('shop');
  expect(databaseOf({ sql }, ['postgres', 'template1'])).toBe('postgres');
});

test('an assertion that could be about several databases must name one', () => {
  expect(() => databaseOf({ sql }, ['blog', 'postgres', 'shop'])).toThrow('does not say which database');
  expect(databaseOf({ sql, database: 'blog' }, ['blog', 'postgres', 'shop'])).toBe('blog');
  expect(() => databaseOf({ sql, database: 'gone' }, ['blog'])).toThrow('"gone", which is not there');
});
