import { expect, it } from 'vitest';
import { statementOf } from './triggers.ts';

it.each([
  ["CREATE DEFINER=`a`@`b` TRIGGER `r` BEFORE INSERT ON `t` FOR EACH ROW SET @a = _binary'é'", "SET @a = _binary'é'"],
  [
    "CREATE TRIGGER shop.r /* for each row x */ before insert on t\nfor each\trow set @a = _latin1'é'",
    "set @a = _latin1'é'",
  ],
  [
    'CREATE TRIGGER `for each row ``a` AFTER UPDATE ON "FOR EACH ROW" FOR EACH ROW FOLLOWS `x y` BEGIN\n END',
    'BEGIN\n END',
  ],
  [
    "CREATE TRIGGER r BEFORE INSERT ON t # it's for each row x\nFOR EACH ROW PRECEDES z SET @a = 'for each row 1'",
    "SET @a = 'for each row 1'",
  ],
])('the statement of a trigger is what was typed: %s', (typed, statement) => {
  expect(statementOf(typed, "SET @a = 'Ã©'")).toBe(statement);
});

it('where what was typed ends as it is listed, or nobody can tell where it begins, it is as it is listed', () => {
  expect(statementOf('CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW  SET @a = 1', ' SET @a = 1')).toBe(
    ' SET @a = 1',
  );
  expect(statementOf('CREATE TRIGGER r BEFORE INSERT ON t FOR EACH /* */ ROW SET @a = 2', 'SET @a = 1')).toBe(
    'SET @a = 1',
  );
});
