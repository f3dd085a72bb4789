import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob } from './glob.ts';

describe('compileGlob', () => {
  it.each([
    ['a', 'a', true],
    ['a', 'ab', false],
    ['*', '', true],
    ['*.sql', 'tienda.sql', true],
    ['*.sql', 'tienda.sql.gz', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['a*bc*c', 'abc', false],
    ['?', 'ñ', true],
    ['?', '😀', true],
    ['?', '\udcff', true],
    ['??', '\udcff\udcfe', true],
    ['a?*', 'a', false],
    ['*a?c*', 'xxabacabc-', true],
    ['*a?c', 'aac-aac', true],
    ['[a-c]x', 'bx', true],
    ['[a-c]x', 'dx', false],
    ['[^a-c]x', 'dx', true],
    ['[^a-c]x', 'ax', false],
    ['[a\\-c]', '-', true],
    ['[a\\-c]', 'b', false],
    ['[\\]]', ']', true],
    ['[ab-d]', 'c', true],
    ['[*?]', '*', true],
    ['[*?]', 'x', false],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['a\\b', 'ab', true],
    ['^', '^', true],
    ['a.c', 'abc', false],
  ])('%s against %s is %s', (pattern, name, expected) => {
    expect(compileGlob(pattern)?.(name)).toBe(expected);
  });

  it.each(['[', '[]', '[]a]', '[a', '[a-', '[a-]', '[^]', '[-x]', 'a\\', '[\\', '[a-\\'])(
    '%s is malformed',
    (pattern) => {
      expect(compileGlob(pattern)).toBeUndefined();
    },
  );

  it('agrees with a regular expression on stars and question marks', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 }).map((chars) => chars.join(''));
    const name = fc.array(fc.constantFrom('a', 'b'), { maxLength: 9 }).map((chars) => chars.join(''));
    fc.assert(
      fc.property(text, name, (pattern, candidate) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(compileGlob(pattern)?.(candidate)).toBe(expression.test(candidate));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes a pattern of many stars without trying every way', () => {
    expect(compileGlob('*a'.repeat(40) + '?')?.('a'.repeat(255) + 'b'.repeat(200))).toBe(false);
  });
});
