import { expect, it } from 'vitest';
import { chooseDatabases } from './choose-databases.ts';

const ALL = ['blog', 'shop', 'test_a', 'test_b'].map((name) => ({ name, charset: '', collation: '', bytes: 0 }));
const choose = (databases: readonly string[], exclude: readonly string[] = []) =>
  chooseDatabases(ALL, { databases, exclude }, 'the server').map(({ name }) => name);

it('those that are named are meant, or all that are not left out', () => {
  expect(choose(['shop'])).toEqual(['shop']);
  expect(choose([], ['test_*', 'b?og'])).toEqual(['shop']);
});

it.each([
  [['nowhere'], [], 'there is no database "nowhere"'],
  [['mysql'], [], 'the server’s own'],
  [[], ['*'], 'no database is left'],
])('%j without %j are none', (databases, exclude, message) => {
  expect(() => choose(databases, exclude)).toThrow(message);
});
