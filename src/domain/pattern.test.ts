import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePatterns, malformedPatterns } from './pattern.ts';

const matches = (patterns: readonly string[], path: string): boolean => compilePatterns(patterns).matches(path).match;
const mayMatchBelow = (patterns: readonly string[], path: string): boolean =>
  compilePatterns(patterns).matches(path).childMayMatch;

describe('one pattern', () => {
  it.each([
    // anywhere without a leading slash, whole components
    ['*.log', '/var/log/a.log', true],
    ['log', '/var/log/a.txt', true],
    ['log', '/var/logs', false],
    ['log/a*', '/var/log/abc/x', true],
    ['var/a*', '/var/log/abc', false],
    ['*', '/anything/at/all', true],
    // from the root with one
    ['/var', '/var', true],
    ['/var', '/var/log', true],
    ['/log', '/var/log', false],
    ['/var/*', '/var', false],
    ['/*/log', '/var/log/x', true],
    ['/*/*/log', '/var/log', false],
    ['/', '/var', true],
    // cleaned
    ['/var//log/./x/..', '/var/log', true],
    ['log/', '/var/log', true],
    ['/../var', '/var', true],
    // two stars: any number of components, also none
    ['**', '/a', true],
    ['/a/**/z', '/a/z', true],
    ['/a/**/z', '/a/b/c/z/below', true],
    ['/a/**/z', '/b/a/z', false],
    ['/a/**', '/a', true],
    ['a/**/z', '/x/a/b/z', true],
    ['**/z', '/z', true],
    ['/a/**/m/**/z', '/a/1/2/m/z', true],
    ['/a/**/m/**/z', '/a/1/z/m', false],
    ['/a/**/m/*', '/a/m/m', true],
    ['/a/**/m/*', '/a/m', false],
    ['a**', '/abc', true],
    ['/**/*.log', '/var/log/a.log', true],
    // relative paths
    ['b', 'a/b', true],
    ['/a', 'a', false],
  ])('%s against %s is %s', (pattern, path, expected) => {
    expect(matches([pattern], path)).toBe(expected);
  });

  it('says where something below may match', () => {
    expect(mayMatchBelow(['*.log'], '/var')).toBe(true);
    expect(mayMatchBelow(['/var/log/*.log'], '/var')).toBe(true);
    expect(mayMatchBelow(['/var/log/*.log'], '/var/lib')).toBe(false);
    expect(mayMatchBelow(['/var/log'], '/var/log/deep')).toBe(true);
    expect(mayMatchBelow(['/var/**/x'], '/var/a/b/c')).toBe(true);
    expect(mayMatchBelow(['/var/**/x'], '/etc')).toBe(false);
  });

  it('agrees with trying every way that two stars can stand for components', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const part = fc.constantFrom('a', 'b', '*', '**', '[ab]');
    const parts = fc.array(part, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(parts, fc.boolean(), fc.array(name, { minLength: 1, maxLength: 6 }), (pattern, rooted, names) => {
        const text = (rooted ? '/' : '') + pattern.join('/');
        expect(matches([text], `/${names.join('/')}`)).toBe(tryAll(rooted ? pattern : ['**', ...pattern], names));
      }),
      { numRuns: 5000 },
    );
  });

  it('never closes a folder below which something matches', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const parts = fc.array(fc.constantFrom('a', 'b', '*', '**'), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(parts, fc.boolean(), fc.array(name, { minLength: 2, maxLength: 6 }), (pattern, rooted, names) => {
        const text = (rooted ? '/' : '') + pattern.join('/');
        if (!matches([text], `/${names.join('/')}`)) return;
        for (let depth = 1; depth < names.length; depth++)
          expect(mayMatchBelow([text], `/${names.slice(0, depth).join('/')}`)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

function tryAll(parts: readonly string[], names: readonly string[]): boolean {
  const [part, ...others] = parts;
  if (part === undefined) return true;
  if (part === '**') return tryAll(others, names) || (names.length > 0 && tryAll(parts, names.slice(1)));
  const name = names[0];
  const fits = name !== undefined && (part === '*' || part === name || (part === '[ab]' && name !== 'c'));
  return fits && tryAll(others, names.slice(1));
}

describe('a list of patterns', () => {
  it('matches nothing when empty, and ignores empty patterns', () => {
    expect(compilePatterns([]).matches('/a')).toEqual({ match: false, childMayMatch: false });
    expect(compilePatterns(['', '']).count).toBe(0);
    expect(matches(['', 'a'], '/a')).toBe(true);
  });

  it('takes back with ! what earlier patterns have matched, in order', () => {
    expect(matches(['*.log', '!keep.log'], '/x/keep.log')).toBe(false);
    expect(matches(['!keep.log', '*.log'], '/x/keep.log')).toBe(true);
    expect(matches(['*.log', '!keep.log', 'keep*'], '/x/keep.log')).toBe(true);
    expect(mayMatchBelow(['/a', '!/a/b'], '/a/b')).toBe(false);
    expect(mayMatchBelow(['/a', '!/a/b'], '/a/c')).toBe(true);
  });

  it('compares without regard to case when asked', () => {
    expect(compilePatterns(['/ETC/*.Conf'], { ignoreCase: true }).matches('/etc/A.CONF').match).toBe(true);
    expect(matches(['/ETC'], '/etc')).toBe(false);
  });

  it('names the malformed ones and lets them match nothing', () => {
    expect(malformedPatterns(['a', '[a', '!/x/[', 'b\\', ''])).toEqual(['[a', '!/x/[', 'b\\']);
    expect(matches(['[a'], '/[a')).toBe(false);
  });
});
